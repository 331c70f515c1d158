"""A small declarative language for AI-agent pipelines: checked before deployment, then run.

    import pipelang

    program = pipelang.load("support.pipe")
    handle = program.pipeline("handle_ticket")
    result = await handle.run(ticket={...})   # Answered | Escalated | Rejected | Failed

Names are loaded on first use, so that `import pipelang` costs nothing.
"""

from pipelang.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipelang.interfaces.loading import CheckFailed, load
    from pipelang.runtime.audit import AuditLog
    from pipelang.runtime.embedding import (
        Handle,
        InputError,
        LoadedProgram,
        NotRunnable,
        Runtime,
        SettingError,
    )
    from pipelang.runtime.inbox.cases import Case, InboxBroken, Refused
    from pipelang.runtime.inbox.inbox import Inbox
    from pipelang.runtime.inbox.webhook import Webhook, receive
    from pipelang.runtime.mcp.servers import McpServer
    from pipelang.runtime.outcomes import Answered, Escalated, Failed, Rejected
    from pipelang.runtime.progress import Update
    from pipelang.runtime.sinks.otel import OpenTelemetry
    from pipelang.runtime.sinks.traces import TraceFiles
    from pipelang.runtime.switches import Switches
    from pipelang.runtime.tools import ToolDrift, ToolMissing
    from pipelang.runtime.world import Decision, Question

_HOMES = {
    "load": "pipelang.interfaces.loading",
    "CheckFailed": "pipelang.interfaces.loading",
    "Handle": "pipelang.runtime.embedding",
    "InputError": "pipelang.runtime.embedding",
    "SettingError": "pipelang.runtime.embedding",
    "Switches": "pipelang.runtime.switches",
    "LoadedProgram": "pipelang.runtime.embedding",
    "NotRunnable": "pipelang.runtime.embedding",
    "Runtime": "pipelang.runtime.embedding",
    "Case": "pipelang.runtime.inbox.cases",
    "Inbox": "pipelang.runtime.inbox.inbox",
    "InboxBroken": "pipelang.runtime.inbox.cases",
    "Refused": "pipelang.runtime.inbox.cases",
    "Webhook": "pipelang.runtime.inbox.webhook",
    "receive": "pipelang.runtime.inbox.webhook",
    "Answered": "pipelang.runtime.outcomes",
    "Escalated": "pipelang.runtime.outcomes",
    "Failed": "pipelang.runtime.outcomes",
    "Rejected": "pipelang.runtime.outcomes",
    "AuditLog": "pipelang.runtime.audit",
    "OpenTelemetry": "pipelang.runtime.sinks.otel",
    "TraceFiles": "pipelang.runtime.sinks.traces",
    "Update": "pipelang.runtime.progress",
    "McpServer": "pipelang.runtime.mcp.servers",
    "ToolDrift": "pipelang.runtime.tools",
    "ToolMissing": "pipelang.runtime.tools",
    "Decision": "pipelang.runtime.world",
    "Question": "pipelang.runtime.world",
}

__all__ = [
    "Answered",
    "AuditLog",
    "Case",
    "CheckFailed",
    "Decision",
    "Escalated",
    "Failed",
    "Handle",
    "Inbox",
    "InboxBroken",
    "InputError",
    "LoadedProgram",
    "McpServer",
    "NotRunnable",
    "OpenTelemetry",
    "Question",
    "Refused",
    "Rejected",
    "Runtime",
    "SettingError",
    "Switches",
    "ToolDrift",
    "ToolMissing",
    "TraceFiles",
    "Update",
    "Webhook",
    "__version__",
    "load",
    "receive",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'pipelang' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
