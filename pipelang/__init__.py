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
    from pipelang.runtime.embedding import Handle, InputError, LoadedProgram, NotRunnable, Runtime
    from pipelang.runtime.outcomes import Answered, Escalated, Failed, Rejected
    from pipelang.runtime.progress import Update
    from pipelang.runtime.sinks.otel import OpenTelemetry
    from pipelang.runtime.sinks.traces import TraceFiles
    from pipelang.runtime.tools import ToolMissing
    from pipelang.runtime.world import Decision, Question

_HOMES = {
    "load": "pipelang.interfaces.loading",
    "CheckFailed": "pipelang.interfaces.loading",
    "Handle": "pipelang.runtime.embedding",
    "InputError": "pipelang.runtime.embedding",
    "LoadedProgram": "pipelang.runtime.embedding",
    "NotRunnable": "pipelang.runtime.embedding",
    "Runtime": "pipelang.runtime.embedding",
    "Answered": "pipelang.runtime.outcomes",
    "Escalated": "pipelang.runtime.outcomes",
    "Failed": "pipelang.runtime.outcomes",
    "Rejected": "pipelang.runtime.outcomes",
    "AuditLog": "pipelang.runtime.audit",
    "OpenTelemetry": "pipelang.runtime.sinks.otel",
    "TraceFiles": "pipelang.runtime.sinks.traces",
    "Update": "pipelang.runtime.progress",
    "ToolMissing": "pipelang.runtime.tools",
    "Decision": "pipelang.runtime.world",
    "Question": "pipelang.runtime.world",
}

__all__ = [
    "Answered",
    "AuditLog",
    "CheckFailed",
    "Decision",
    "Escalated",
    "Failed",
    "Handle",
    "InputError",
    "LoadedProgram",
    "NotRunnable",
    "OpenTelemetry",
    "Question",
    "Rejected",
    "Runtime",
    "ToolMissing",
    "TraceFiles",
    "Update",
    "__version__",
    "load",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'pipelang' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
