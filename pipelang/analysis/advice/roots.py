"""The effect of a change of a sub-pipeline on every pipeline that runs it."""

from __future__ import annotations

from pipelang.analysis.advice.changes import Change
from pipelang.analysis.advice.trying import Bench
from pipelang.analysis.model.intervals import compare
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.metrics import COST_MEAN, ESCALATION, FAILURE, SILENT_ERROR, SUCCESS

SHOWN = (SUCCESS, SILENT_ERROR, ESCALATION, FAILURE)

Moved = dict[str, tuple[float, float]]
"""Figures before and after a change."""


def concerned(bench: Bench, pipeline: p.Pipeline, change: Change) -> list[str]:
    """The pipeline that is advised on, and the roots whose figures a change may move too: those
    whose budgets cut nothing as it is.
    """
    roots = [root.name for root in _callers(bench.program, change.pipeline)]
    others = [name for name in roots if name != pipeline.name and bench.figures(name) is not None]
    return [pipeline.name, *others]


def roots_moved(
    bench: Bench, changed: p.Program, pipeline: p.Pipeline, change: Change
) -> dict[str, Moved] | None:
    """The effect of a change on every other pipeline that runs the changed one and that no other
    runs; None if it breaks a promise of one of them.
    """
    found: dict[str, Moved] = {}
    for root in _callers(bench.program, change.pipeline):
        if root.name == pipeline.name:
            continue
        now = bench.figures(root.name)
        after = bench.after(change, changed, root.name)
        if now is None or after is None:
            continue
        if breaks(root, now, after):
            return None
        both = [name for name in (*SHOWN, COST_MEAN) if name in now and name in after]
        found[root.name] = {name: (now[name], after[name]) for name in both}
    return found


def _callers(program: p.Program, changed: str) -> list[p.Pipeline]:
    """The pipelines that run one, and that no other runs."""
    runs = {
        name: {inner.name for inner in pipelines_run(program, one)}
        for name, one in program.pipelines.items()
    }
    inner = set[str]().union(*runs.values())
    return [
        program.pipelines[name]
        for name, run in runs.items()
        if changed in run and name not in inner
    ]


def breaks(pipeline: p.Pipeline, now: dict[str, float], after: dict[str, float]) -> bool:
    """Whether a change breaks a promise that is kept, going by the point estimates."""
    for line in pipeline.slo:
        metric, target = line.metric, float(line.target)
        if line.when is not None or metric not in now or metric not in after:
            continue
        kept = compare(now[metric], line.op, target)
        if kept and not compare(after[metric], line.op, target):
            return True
    return False
