"""Model providers: the seam between the interpreter and the models that answer an `ask`.

`protocol` defines a provider; the modules beside it are adapters. Nothing here imports an
SDK, and neither does importing an adapter: the official one takes 1.5 to 2.6 s, which only a
run that really calls a model should pay for. Names are loaded on first use: a check asks `kinds`
alone.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelang.runtime.providers.protocol import (
        ModelAnswer,
        ModelFault,
        ModelProvider,
        ModelRequest,
        Usage,
    )

__all__ = ["ModelAnswer", "ModelFault", "ModelProvider", "ModelRequest", "Usage"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from pipelang.runtime.providers import protocol

        return getattr(protocol, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
