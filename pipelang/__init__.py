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
    from pipelang.interfaces.export.flow import graph
    from pipelang.interfaces.loading import CheckFailed, load
    from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected
    from pipelang.runtime.engine.world import Decision, Question
    from pipelang.runtime.host.handle import (
        Handle,
        InputError,
        LoadedProgram,
        NotRunnable,
        Runtime,
        SettingError,
    )
    from pipelang.runtime.host.progress import Update
    from pipelang.runtime.inbox.cases import Case, InboxBroken, Refused
    from pipelang.runtime.inbox.inbox import Inbox
    from pipelang.runtime.inbox.signed_decisions import receive
    from pipelang.runtime.inbox.webhook import Webhook
    from pipelang.runtime.mcp.servers import McpServer
    from pipelang.runtime.media.medium import Media
    from pipelang.runtime.shared.kill_switches import Switches
    from pipelang.runtime.sinks.audit import AuditLog
    from pipelang.runtime.sinks.otel import OpenTelemetry
    from pipelang.runtime.sinks.traces import TraceFiles
    from pipelang.runtime.tools.binding import ToolMissing
    from pipelang.runtime.tools.registry import ToolDrift

_HOMES = {
    "graph": "pipelang.interfaces.export.flow",
    "load": "pipelang.interfaces.loading",
    "CheckFailed": "pipelang.interfaces.loading",
    "Handle": "pipelang.runtime.host.handle",
    "InputError": "pipelang.runtime.host.handle",
    "SettingError": "pipelang.runtime.host.handle",
    "Switches": "pipelang.runtime.shared.kill_switches",
    "LoadedProgram": "pipelang.runtime.host.handle",
    "NotRunnable": "pipelang.runtime.host.handle",
    "Runtime": "pipelang.runtime.host.handle",
    "Case": "pipelang.runtime.inbox.cases",
    "Inbox": "pipelang.runtime.inbox.inbox",
    "InboxBroken": "pipelang.runtime.inbox.cases",
    "Refused": "pipelang.runtime.inbox.cases",
    "Webhook": "pipelang.runtime.inbox.webhook",
    "receive": "pipelang.runtime.inbox.signed_decisions",
    "Answered": "pipelang.runtime.engine.outcomes",
    "Escalated": "pipelang.runtime.engine.outcomes",
    "Failed": "pipelang.runtime.engine.outcomes",
    "Rejected": "pipelang.runtime.engine.outcomes",
    "AuditLog": "pipelang.runtime.sinks.audit",
    "OpenTelemetry": "pipelang.runtime.sinks.otel",
    "TraceFiles": "pipelang.runtime.sinks.traces",
    "Update": "pipelang.runtime.host.progress",
    "McpServer": "pipelang.runtime.mcp.servers",
    "Media": "pipelang.runtime.media.medium",
    "ToolDrift": "pipelang.runtime.tools.registry",
    "ToolMissing": "pipelang.runtime.tools.binding",
    "Decision": "pipelang.runtime.engine.world",
    "Question": "pipelang.runtime.engine.world",
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
    "Media",
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
    "graph",
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
