"""Model providers: the seam between the interpreter and the models that answer an `ask`.

`protocol` defines a provider; the modules beside it are adapters. Nothing here imports an
SDK, and neither does importing an adapter: the official one takes 1.5 to 2.6 s, which only a
run that really calls a model should pay for.
"""

from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelProvider,
    ModelRequest,
    Usage,
)

__all__ = ["ModelAnswer", "ModelFault", "ModelProvider", "ModelRequest", "Usage"]
