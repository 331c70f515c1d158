"""The kernel of updates: which writes into a memory hang on a value that was recalled from it.

`remember m(k) = old + 1` after `step old = recall m(k)` is an update: what it writes, or whether it
writes at all, hangs on what the memory held. Such a write counts only while the memory still holds
that. Appending to a list is none, whatever is appended: nothing is lost by it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items, inner_blocks, inner_links

Hangs = dict[str, frozenset[str]]
"""By the name of a value, the steps of recalls that it hangs on."""

_NONE: frozenset[str] = frozenset()


def recalls_behind(pipeline: p.Pipeline, item: p.Remember) -> frozenset[str]:
    """The steps that recall the memory of a write, and that the write hangs on: by what it reads,
    or by the gates, people and branches on the way to it.
    """
    found = _behind(pipeline.block, item, {}, _NONE)
    assert found is not None, "the write stands in the pipeline"
    return found


def _behind(
    block: p.Block, item: p.Remember, hangs: Hangs, way: frozenset[str]
) -> frozenset[str] | None:
    """The recalls behind a write, None if it does not stand in this block. `way` are those that
    decided that the block is gone through.
    """
    for at in block.items:
        if at is item:
            return way | _of(hangs, item.reads)
        if isinstance(at, (p.Step, p.Let)):
            behind = _of(hangs, at.reads)
            own = isinstance(at, p.Step) and _recalls(at, item.memory)
            hangs[at.name] = behind | {at.name} if own else behind
            continue
        way |= _of(hangs, decides(at))
        for inner in inner_blocks(at):
            found = _behind(inner, item, {**hangs}, way)
            if found is not None:
                return found
            # What ends the run in there decides, too, whether it goes on.
            for other in all_items(inner):
                way |= _of(hangs, decides(other))
    return None


def decides(item: p.Item) -> frozenset[str]:
    """The names by which an item decides how a run goes on."""
    match item:
        case p.Gate():
            return item.reads
        case p.Person():
            return item.judges | (_NONE if item.when is None else expr.mentions(item.when))
        case p.When():
            return expr.mentions(item.condition)
        case p.MatchBranch():
            return expr.mentions(item.subject)
        case _:
            return _NONE


def worked_out(item: p.Step | p.Let) -> expr.Expr | None:
    """The expression that a value is worked out by, None if anybody was asked for it."""
    if isinstance(item, p.Let):
        return item.value
    first = item.chain.links[0] if item.chain.links else None
    return first.action.value if first is not None and isinstance(first.action, p.Value) else None


def _recalls(step: p.Step, memory: str) -> bool:
    return any(
        isinstance(link.action, p.Recall) and link.action.memory == memory
        for link in inner_links(step.chain)
    )


def _of(hangs: Mapping[str, frozenset[str]], names: frozenset[str]) -> frozenset[str]:
    return _NONE.union(*(hangs.get(name, _NONE) for name in names))
