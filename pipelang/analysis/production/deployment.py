"""Demands that no `.pipe` file has words for: where traces, the audit log and state go.

They are declared once for a project, under `[tool.pipelang.production]` of its pyproject.toml.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.production.setup import DeploymentSetup
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p


def audited(pipeline: p.Pipeline, setup: DeploymentSetup) -> Iterator[Diagnostic]:
    """Somebody must be able to say afterwards what a run did, and why."""
    missing = [
        (what, key)
        for what, key, place in (
            ("the trace", "trace", setup.trace),
            ("the audit log", "audit", setup.audit),
        )
        if place is None
    ]
    if missing:
        lines = " and ".join(f'`{key} = "PLACE"`' for _, key in missing)
        what = " and ".join(what for what, _ in missing)
        help = f"declare it in pyproject.toml: {lines} under `[tool.pipelang.production]`"
        yield report(codes.NO_AUDIT, pipeline.span, what=what, name=pipeline.name, help=help)


def state_is_outside(pipeline: p.Pipeline, setup: DeploymentSetup) -> Iterator[Diagnostic]:
    """What must outlive a process that dies: runs that wait, memories, caches, breakers."""
    if setup.state is None:
        yield report(codes.NO_STATE, pipeline.span, name=pipeline.name)
