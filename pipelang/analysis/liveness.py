"""What of the past is still needed: after every item of a block, the variables read later on.

A redo reads again: everything that its reruns read stays alive until its gate is passed, and so do
the counters and latent verdicts of what it may run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelang.analysis.conditions import gate_plan, subject_plan, test_plan
from pipelang.analysis.model import Model, value_key
from pipelang.analysis.preparing import latent_key, prepare
from pipelang.analysis.table import Key
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import changed_by, readers
from pipelang.semantics.reads import outcome_reads

Taint = frozenset[str]

EFFECT: Key = ("effect",)
END: Key = ("end",)


def redo_key(gate: str) -> Key:
    return ("redo", gate)


def uses(model: Model, item: p.Item, taint: Taint) -> frozenset[Key]:
    """The variables that an item reads, everything inside it included."""
    found: set[Key] = {value_key(name) for name in taint}
    match item:
        case p.Step():
            found |= set(prepare(model, item, taint).reads)
            if item.name in model.latent:
                found.add(latent_key(item.name))
        case p.Let():
            pass
        case p.Gate():
            plan = gate_plan(model, item)
            found |= plan.uses()
            end = item.otherwise
            if isinstance(end, p.Redo):
                found.add(redo_key(item.name))
                end = end.otherwise
            found |= _values(model, outcome_reads(end))
        case p.Person():
            if item.when is not None:
                found |= test_plan(model, item.when, None).uses()
            found |= _values(model, item.judges) | _values(model, outcome_reads(item.otherwise))
        case p.When():
            found |= test_plan(model, item.condition, item.name).uses()
            inner = taint | model.values(item.condition)
            for block in (item.then, item.otherwise):
                for part in block.items:
                    found |= uses(model, part, inner)
        case p.MatchBranch():
            found |= subject_plan(model, item.subject, (taken for taken, _ in item.arms)).uses()
            inner = taint | model.values(item.subject)
            for _, block in item.arms:
                for part in block.items:
                    found |= uses(model, part, inner)
        case p.Remember():
            found |= _values(model, item.reads)
        case p.End():
            found |= _values(model, outcome_reads(item.outcome))
    return frozenset(found)


def _values(model: Model, names: Iterable[str]) -> set[Key]:
    return {value_key(name) for name in model.roots(frozenset(names))}


def all_reruns(items: Sequence[p.Item], gate: int, redo: p.Redo) -> tuple[int, ...]:
    """What a redo may run again, with what redos of gates in between drag along, and theirs."""
    found: set[int] = set()
    more = set(redo.reruns)
    while more - found:
        found |= more
        more = set()
        for index in found:
            between = items[index]
            if index >= gate or not isinstance(between, p.Gate):
                continue
            if isinstance(between.otherwise, p.Redo):
                inner = between.otherwise.reruns
                more |= {*inner, *readers(items, index + 1, gate, changed_by(items, inner))}
    return tuple(sorted(found))


def needed_after(
    model: Model, block: p.Block, taint: Taint, after: frozenset[Key]
) -> list[frozenset[Key]]:
    """For each item of a block, the variables that are read once it is done."""
    used = [uses(model, item, taint) for item in block.items]
    needed: list[frozenset[Key]] = [frozenset()] * len(block.items)
    later = after
    for index in range(len(block.items) - 1, -1, -1):
        needed[index] = later
        later = later | used[index]
    for index, item in enumerate(block.items):
        if isinstance(item, p.Gate) and isinstance(item.otherwise, p.Redo):
            reruns = all_reruns(block.items, index, item.otherwise)
            again = frozenset[Key]().union(*(used[rerun] for rerun in reruns))
            for inside in range(reruns[0], index):
                needed[inside] = needed[inside] | again
    return needed
