"""The kernel of a redo: which items run again, and how often.

`redo STEP up to N` runs STEP from the head of its chain, then everything up to the gate that reads
it, transitively. Gates in between that read it are judged again; others keep their verdict. The
counter never resets in a run.

An approval may send a step back in the same way; what it is asked about is what it reads.

When a gate in between takes a redo of its own, more values change than the outer redo had in mind;
what stands behind that gate and reads them runs again too, so that nothing stale survives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def redo_of(item: p.Item) -> p.Redo | None:
    """The redo of a gate or of an approval, if it has one."""
    if isinstance(item, (p.Gate, p.Person)) and isinstance(item.otherwise, p.Redo):
        return item.otherwise
    return None


def last_outcome(item: p.Gate | p.Person) -> p.Outcome:
    """Last outcome of a gate or a person, once no redo is left."""
    end = item.otherwise
    return end.otherwise if isinstance(end, p.Redo) else end


def made_by(item: p.Item) -> str | None:
    """The name of the value that an item makes."""
    return item.name if isinstance(item, (p.Step, p.Let)) else None


def reads_of(item: p.Item) -> frozenset[str]:
    """The names that an item between a step and its redoing gate reads, and that the gate does, or
    the person in its place: what they are asked about.
    """
    if isinstance(item, p.Person):
        asked = frozenset() if item.when is None else expr.mentions(item.when)
        return item.judges | asked
    return item.reads if isinstance(item, (p.Step, p.Let, p.Gate)) else frozenset()


def readers(items: Sequence[p.Item], first: int, last: int, changed: Iterable[str]) -> set[int]:
    """The items from `first` to `last` (both included) that read a changed value, transitively."""
    names = set(changed)
    found: set[int] = set()
    for index in range(first, last + 1):
        item = items[index]
        if reads_of(item) & names:
            found.add(index)
            name = made_by(item)
            if name is not None:
                names.add(name)
    return found


def reruns(items: Sequence[p.Item], step: int, gate: int) -> tuple[int, ...]:
    """The indices of items that run again when a gate redoes a step, in order."""
    name = made_by(items[step])
    assert name is not None
    return (step, *sorted(readers(items, step + 1, gate, [name])))


def changed_by(items: Sequence[p.Item], indices: Iterable[int]) -> set[str]:
    """The values that are new after some items ran again."""
    return {name for index in indices if (name := made_by(items[index])) is not None}


def may_redo(redo: p.Redo, used: int) -> bool:
    """Whether a gate that has used `used` of its redos has one left."""
    return used < redo.times


def all_reruns(items: Sequence[p.Item], gate: int, redo: p.Redo) -> tuple[int, ...]:
    """All items that a redo may run again, those of redos by gates in between included."""
    found: set[int] = set()
    more = set(redo.reruns)
    while more - found:
        found |= more
        more = set()
        for index in found:
            between = None if index >= gate else redo_of(items[index])
            if between is not None:
                inner = between.reruns
                more |= {*inner, *readers(items, index + 1, gate, changed_by(items, inner))}
    return tuple(sorted(found))
