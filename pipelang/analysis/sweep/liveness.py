"""Liveness: after every item of a block, the variables that are read later.

A redo reads again: everything that its reruns read stays live until its gate is passed, and so do
the counters and latent verdicts of the items that it may run again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import repeat

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import gate_plan, subject_plan, test_plan
from pipelang.analysis.kernels.prepared_step import prepared_step
from pipelang.analysis.model.model import (
    EFFECT,
    END,
    PipelineModel,
    latent_key,
    redo_key,
    value_key,
)
from pipelang.analysis.sweep.plain_steps import plain_step, plain_steps, remember_plain
from pipelang.analysis.sweep.shapes import MADE, TESTED, Plain, gate_shape
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import all_reruns, last_outcome, redo_of
from pipelang.semantics.reads import outcome_reads

Taint = frozenset[str]


def uses(model: PipelineModel, item: p.Item, taint: Taint) -> Collection[Key]:
    """The variables that an item reads, everything inside it included."""
    plain = plain_step(model, item, taint) if isinstance(item, p.Step) else None
    if plain is not None:
        return (*map(value_key, taint), *plain[1][MADE:])
    return _uses(model, item, taint)


def _uses(model: PipelineModel, item: p.Item, taint: Taint) -> Collection[Key]:
    """The same of an item that is no plain step."""
    if isinstance(item, p.Gate):
        return (*map(value_key, taint), *_uses_of_gate(model, item))
    found: set[Key] = {value_key(name) for name in taint}
    match item:
        case p.Step():
            found |= set(prepared_step(model, item, taint).reads)
            if item.name in model.latent:
                found.add(latent_key(item.name))
        case p.Let():
            pass
        case p.Person():
            if item.when is not None:
                found |= test_plan(model, item.when, None).uses()
            found |= _values(model, item.judges) | _otherwise(model, item)
        case p.When():
            found |= test_plan(model, item.condition, item.name).uses()
            inner = taint | model.values(item.condition)
            for block in (item.then, item.otherwise):
                for part in block.items:
                    found.update(uses(model, part, inner))
        case p.MatchBranch():
            found |= subject_plan(model, item.subject, (taken for taken, _ in item.arms)).uses()
            inner = taint | model.values(item.subject)
            for _, block in item.arms:
                for part in block.items:
                    found.update(uses(model, part, inner))
        case p.Remember():
            found |= _values(model, item.reads)
        case p.End():
            found |= _values(model, outcome_reads(item.outcome))
    return frozenset(found)


def _uses_of_gate(model: PipelineModel, gate: p.Gate) -> Collection[Key]:
    shape = gate_shape(model, gate)
    if shape is None or not isinstance(gate.evidence, p.ByRates):
        return gate_plan(model, gate).uses() | _otherwise(model, gate)
    model.parameters.use(gate.evidence.catches, gate.evidence.false_alarms)
    handed = outcome_reads(shape.own)
    tested = shape.names[TESTED:]
    return (*tested, *_values(model, handed)) if handed else tested


def _otherwise(model: PipelineModel, item: p.Gate | p.Person) -> set[Key]:
    """The variables that are read where a gate does not hold, or a person says no."""
    found = _values(model, outcome_reads(last_outcome(item)))
    return found if redo_of(item) is None else {redo_key(item.name), *found}


def _values(model: PipelineModel, names: Iterable[str]) -> set[Key]:
    return {value_key(name) for name in model.roots(frozenset(names))}


def keeps_inside(
    model: PipelineModel, item: p.When | p.MatchBranch, taint: Taint, needed: Needed, index: int
) -> Callable[[Key], bool]:
    """Whether a variable is still read behind the test of a branch: in it, or after it."""
    inside: set[Key] | None = None

    def keeps(key: Key) -> bool:
        nonlocal inside
        if inside is None:
            inside = _inside(model, item, taint)
        return key in inside or needed.keeps(key, index)

    return keeps


def _inside(model: PipelineModel, item: p.When | p.MatchBranch, taint: Taint) -> set[Key]:
    if isinstance(item, p.When):
        blocks, tested = [item.then, item.otherwise], item.condition
    else:
        blocks, tested = [block for _, block in item.arms], item.subject
    inner = taint | model.values(tested)
    return {key for block in blocks for part in block.items for key in uses(model, part, inner)}


@dataclass(frozen=True, slots=True)
class Needed:
    """Variables that are read after an item of a block: by the last item of the block that
    reads them, or by what comes `after` the block, which stands in the item `at` of that one.
    `plain` are the items that have a shape.
    """

    block: p.Block
    taint: Taint
    plain: Sequence[Plain | None]
    last: Mapping[Key, int]
    after: Needed | None
    at: int

    def keeps(self, key: Key, index: int) -> bool:
        """Whether a variable is still read after the item of this index."""
        if self.last.get(key, -1) > index:
            return True
        return self.after is not None and self.after.keeps(key, self.at)

    def keeping(self, keys: Iterable[Key], index: int) -> Iterable[bool]:
        """The same of several variables."""
        if self.after is not None:
            return [self.keeps(key, index) for key in keys]
        # As the list above, without a step of the interpreter for each.
        return map(index.__lt__, map(self.last.get, keys, repeat(-1)))


def needed_after(
    model: PipelineModel, block: p.Block, taint: Taint, after: Needed | None, at: int
) -> Needed:
    """Return the live variables of a block. `after` and `at` say where the block stands: its
    surroundings, and the index of the item there. Whatever a redo may run again stays live until
    its gate is passed. They are worked out once for a model, which may be swept many times and with
    other parameters: what is read does not hang on how likely anything is.
    """
    key = ("needed", id(block), taint, id(after), at)
    known: Needed | None = model.shapes.get(key)
    if known is None:
        known = model.shapes[key] = _needed_after(model, block, taint, after, at)
    return known


def _needed_after(
    model: PipelineModel, block: p.Block, taint: Taint, after: Needed | None, at: int
) -> Needed:
    items = block.items
    around = tuple(map(value_key, taint))
    plain: list[Plain | None] = []
    last: dict[Key, int] = {EFFECT: len(items), END: len(items)}
    others: dict[int, Collection[Key]] = {}
    for index, one in enumerate(plain_steps(model, items, taint)):
        plain.append(one)
        if one is None:
            keys = others[index] = _uses(model, items[index], taint)
        else:
            keys = one[1][MADE:]
            if around:
                keys = (*around, *keys)
        for key in keys:
            last[key] = index
    if not taint:
        remember_plain(model, block, plain)
    for index in others:
        item = items[index]
        redo = None if isinstance(item, p.Step) else redo_of(item)
        if redo is not None:
            for rerun in all_reruns(items, index, redo):
                one = plain[rerun]
                for key in others[rerun] if one is None else (*around, *one[1][MADE:]):
                    last[key] = max(last[key], index)
    return Needed(block, taint, plain, last, after, at)
