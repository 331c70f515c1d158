"""Information flow through memories: what a run keeps, and what another one recalls.

Whether something lies under a key tells of the tests that decided to remember it, and of the key:
who picks the key picks what is found under the others.
"""

from __future__ import annotations

from pipelang.analysis.flow.marks import (
    ELEMENT,
    INFLUENCED,
    LENGTH,
    OWNER,
    PRESENCE,
    PRIVATE,
    UNTRUSTED,
    WRITTEN,
    Flow,
    Maker,
    Mark,
    Way,
    joined,
    marks_of,
    only,
    source,
    under,
)
from pipelang.analysis.flow.owners import owned_by
from pipelang.analysis.flow.reading import Values
from pipelang.analysis.flow.situation import Situation
from pipelang.analysis.flow.telling import picked, steered
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL, ListType, optional


def remembered(values: Values, item: p.Remember, situation: Situation) -> tuple[Flow, Flow]:
    """Return the flow into what a memory keeps, and into whether it keeps it."""
    deciding = [m for c in situation.open_controls() for m in c.marks]
    deciding += [m for c in situation.controls for m in c.reveals]
    deciding += marks_of(values.of(item.key), UNTRUSTED, INFLUENCED)
    content = joined(values.of(item.value), picked(item.value.type, deciding))
    return content, under(WRITTEN, picked(BOOL, deciding))


def stored(item: p.Remember, flow: Flow) -> Flow:
    """Return a flow as a memory has it, with a step in the trails of its marks."""
    shown = expr.show(item.value)
    hop = f"`{item.memory}` keeps " + ("it" if "`" in shown else f"`{shown}`")
    kept: dict[Way, dict[Mark, None]] = {}
    for way, marks in flow.items():
        kept[way] = {m.through(hop, item.span): None for m in marks if m.kind != OWNER}
    return kept


def _kept(mark: Mark, maker: Maker) -> Mark:
    """Return a mark on what was recalled: private data of whoever the key says, who need not be the
    person that this run is about.
    """
    if mark.kind != PRIVATE:
        return mark
    return replace(mark, origin=replace(mark.origin, run=maker))


def recalled(
    values: Values, memory: p.Memory, kept: Flow, key: expr.Expr, words: str, maker: Maker
) -> Flow:
    """Return the flow out of a memory under a key; `words` say of the recall what it does, and
    `maker` which one it is.
    """
    span, many = maker[-1], isinstance(memory.returns, ListType)
    own = source(memory.name, memory.returns, memory.span, ", as the memory is declared")
    content: Flow = {way: marks for way, marks in kept.items() if way != (WRITTEN,)}
    there: Flow = {(LENGTH if many else PRESENCE,): dict(kept.get((WRITTEN,), {}))}
    found: dict[Way, dict[Mark, None]] = {}
    for way, marks in joined(own, under(ELEMENT, content) if many else content, there).items():
        found[way] = {
            _kept(mark.through(words, span, maker=maker), maker): None
            for mark in marks
            if mark.kind != OWNER
        }
    origins = [mark.origin for mark in marks_of(found, PRIVATE)]
    owned_by(values, origins, [key])
    asked = only(values.of(key), (UNTRUSTED, INFLUENCED, PRIVATE))
    type = memory.returns if many else optional(memory.returns)
    return joined(found, steered(type, asked)) if asked else found
