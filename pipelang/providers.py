"""The public protocol of model providers: what a package writes against to bring its own.

`docs/models.md` has a provider of 40 lines, and `pipelang.testing` the suite that it passes.
"""

from pipelang.runtime.engine.world import ToolCall, ToolResult, Turn
from pipelang.runtime.media.medium import Media
from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelProvider,
    ModelRequest,
    ToolSchema,
    Usage,
)

__all__ = [
    "Media",
    "ModelAnswer",
    "ModelFault",
    "ModelProvider",
    "ModelRequest",
    "ToolCall",
    "ToolResult",
    "ToolSchema",
    "Turn",
    "Usage",
]
