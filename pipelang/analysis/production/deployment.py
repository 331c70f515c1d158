"""Demands on the deployment: destinations of traces and the audit log, and a store for state.

They are declared once for a project, under `[tool.pipelang.production]` of its pyproject.toml.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.production.setup import DeploymentSetup
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p


def audited(pipeline: p.Pipeline, setup: DeploymentSetup) -> Iterator[Diagnostic]:
    """Require an audit log, so that every run can be explained afterwards."""
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
    """Require a store outside the process for waiting runs, memories, caches and circuit
    breakers.
    """
    if setup.state is None and setup.store is None:
        yield report(codes.NO_STATE, pipeline.span, name=pipeline.name)
