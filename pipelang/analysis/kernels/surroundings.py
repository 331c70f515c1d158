"""Surroundings of steps: what the branches and gates before them have decided.

A value that a branch tested is not a draw any more for what stands in that branch.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

Decided = dict[tuple[str, ...], bool]
"""Paths to bools, and what they are."""


def decided_before(model: PipelineModel, step: str) -> Decided:
    """The bools that are known wherever a step of a pipeline runs."""
    known: dict[str, Decided] | None = model.prepared.get("decided")
    if known is None:
        known = model.prepared["decided"] = {}
        _block(model, model.pipeline.block, {}, known)
    return known.get(step, {})


def _block(
    model: PipelineModel, block: p.Block, decided: Decided, found: dict[str, Decided]
) -> None:
    decided = dict(decided)
    for item in block.items:
        match item:
            case p.Step():
                found[item.name] = dict(decided)
            case p.When():
                tests = item.name is None or item.name not in model.names
                condition = model.expand(item.condition)
                for holds, inside in ((True, item.then), (False, item.otherwise)):
                    more = dict(_facts(condition, holds)) if tests else {}
                    _block(model, inside, decided | more, found)
            case p.MatchBranch():
                for _, inside in item.arms:
                    _block(model, inside, decided, found)
            case p.Gate() if item.evidence is None and item.name not in model.names:
                decided |= dict(_facts(model.expand(item.condition), True))
            case _:
                pass


def _facts(condition: expr.Expr, holds: bool) -> Iterator[tuple[tuple[str, ...], bool]]:
    match condition:
        case expr.Not():
            yield from _facts(condition.operand, not holds)
        case expr.Logic() if (condition.op == "and") == holds:
            yield from _facts(condition.left, holds)
            yield from _facts(condition.right, holds)
        case _:
            path = expr.path_of(condition)
            if path is not None:
                yield path, holds
