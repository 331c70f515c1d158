"""Symbolic execution of tests: gates with their redos, people, `when` and `match`. The walk follows
both outcomes, each under the condition that leads to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.analysis.claims import rounds
from pipelang.analysis.claims.formulas import TRUE, Formula, all_of, opposite
from pipelang.analysis.claims.moments import made
from pipelang.analysis.claims.paths import Path, PathEvent, extend
from pipelang.analysis.claims.states import State, SymbolicFrame, join, met, step_to
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import last_outcome, redo_of
from pipelang.semantics.walk import all_items

if TYPE_CHECKING:
    from pipelang.analysis.claims.walk import ClaimWalk


def gate(
    walk: ClaimWalk, frame: SymbolicFrame, block: p.Block, gate: p.Gate, state: State
) -> State:
    walk.lacking(frame, gate.condition, state, gate.span)
    holds = walk.symbols.truth(gate.condition, frame.values)
    label = gate.name.split(" ")[0]
    walk.tests.append((label, holds))
    walk.tested(frame, gate, gate.condition, holds, state)
    event = PathEvent(f"gate `{label}` holds", gate.span, label)
    after: dict[int, list[Path | None]] = {}
    for key, path in state.items():
        now = walk.watched.passed(frame.pipeline.name, gate.name, key)
        after.setdefault(now, []).append(extend(path, holds, event))
    otherwise, words = gate.otherwise, f"gate `{label}` does not hold"
    if isinstance(otherwise, p.Redo):
        walk.lacking(frame, otherwise.because, step_to(state, opposite(holds)), gate.span)
        if not frame.redoing:
            redone(walk, frame, block, gate, otherwise, step_to(state, opposite(holds)))
        words += f", also after {otherwise.times} redo{'s' * (otherwise.times > 1)}"
        otherwise = otherwise.otherwise
    out = PathEvent(words, gate.span, label)
    walk.end(frame, otherwise, step_to(state, opposite(holds), out))
    if isinstance(gate.otherwise, p.Redo) and walk.watched.counts:

        def test(frame: SymbolicFrame) -> tuple[Formula, Formula]:
            holds = walk.symbols.truth(gate.condition, frame.values)
            return holds, opposite(holds)

        again = rounds.redone(walk, frame, block, gate, gate.otherwise, test, event)
        return join(met(after), again)
    return met(after)


def redone(
    walk: ClaimWalk,
    frame: SymbolicFrame,
    block: p.Block,
    gate: p.Gate | p.Person,
    redo: p.Redo,
    state: State,
) -> None:
    """Walk the second round of a redo, and follow only the paths on which it ends the run. What the
    redo has not made anew keeps its value. A second round that reaches the gate needs no walk of
    its own: it is a first round with other values.
    """
    names = {
        item.name
        for index in redo.reruns
        if isinstance(item := block.items[index], (p.Step, p.Let))
    }
    if not frame.root or not names & walk.condition.tracked.keys():
        return
    state = step_to(state, TRUE, PathEvent(rounds.words_of(gate, redo), gate.span))
    again = SymbolicFrame(frame.pipeline, f"{frame.prefix}again ", frame.values, True, redoing=True)
    before, frame.values = frame.values, dict(frame.values)
    again.values = frame.values
    for index in redo.reruns:
        item = block.items[index]
        if item is not gate and state:
            state = walk.item(again, block, item, state)
    frame.values = before


def person(
    walk: ClaimWalk, frame: SymbolicFrame, block: p.Block, person: p.Person, state: State
) -> State:
    asked = TRUE
    walk.lacking(frame, person.when, state, person.span)
    walk.lacking(frame, person.showing, state, person.span)
    if person.when is not None:
        asked = walk.symbols.truth(person.when, frame.values)
        walk.tests.append((person.name, asked))
        walk.tested(frame, person, person.when, asked, state)
    approves = person.kind == "approve"
    says = f"`{person.role}` approves `{person.name}`"
    says = says if approves else f"nobody stops `{person.name}`"
    after: dict[int, list[Path | None]] = {}
    for key, path in state.items():
        yes = extend(path, asked, PathEvent(says, person.span, person.name))
        now = walk.watched.passed(frame.pipeline.name, person.name, key)
        after.setdefault(now, []).append(yes)
        skipped = PathEvent(f"nobody is asked for `{person.name}`", person.span, person.name)
        after.setdefault(key, []).append(extend(path, opposite(asked), skipped))
    redo = redo_of(person)
    if redo is not None:
        walk.lacking(frame, redo.because, step_to(state, asked), person.span)
        if not frame.redoing:
            redone(walk, frame, block, person, redo, step_to(state, asked))
    says = f"`{person.role}` " + ("does not approve" if approves else "stops")
    no = PathEvent(f"{says} `{person.name}`", person.span, person.name)
    walk.end(frame, last_outcome(person), step_to(state, asked, no))
    if redo is None or not walk.watched.counts:
        return met(after)

    def test(frame: SymbolicFrame) -> tuple[Formula, Formula]:
        asked = TRUE
        if person.when is not None:
            asked = walk.symbols.truth(person.when, frame.values)
        return TRUE, asked

    agrees = PathEvent(f"`{person.role}` approves `{person.name}`", person.span, person.name)
    return join(met(after), rounds.redone(walk, frame, block, person, redo, test, agrees))


def when(walk: ClaimWalk, frame: SymbolicFrame, when: p.When, state: State) -> State:
    walk.lacking(frame, when.condition, state, when.span)
    holds = walk.symbols.truth(when.condition, frame.values)
    walk.tested(frame, when, when.condition, holds, state)
    shown = when.name or expr.show(when.condition)
    if when.name is not None:
        walk.tests.append((when.name, holds))
    label = f"`{shown}`" if "`" not in shown else "the condition"
    yes = PathEvent(f"{label} is so", when.span, when.name)
    no = PathEvent(f"{label} is not so", when.span, when.name)
    ways = ((holds, yes, when.then), (opposite(holds), no, when.otherwise))
    return each_way(walk, frame, ways, state)


def match(walk: ClaimWalk, frame: SymbolicFrame, match: p.MatchBranch, state: State) -> State:
    walk.lacking(frame, match.subject, state, match.span)
    patterns = [taken for taken, _ in match.arms]
    guards = walk.symbols.arms(match.subject, patterns, frame.values)
    shown, ways = expr.show(match.subject), []
    walk.chooses(frame, match, guards, state)
    for guard, (taken, block) in zip(guards, match.arms, strict=True):
        what = "something else" if taken is None else " or ".join(map(_plainly, taken))
        ways.append((guard, PathEvent(f"`{shown}` is {what}", match.span), block))
    return each_way(walk, frame, tuple(ways), state)


def each_way(
    walk: ClaimWalk,
    frame: SymbolicFrame,
    ways: tuple[tuple[Formula, PathEvent, p.Block], ...],
    state: State,
) -> State:
    """Walk all branches, of which a run takes one. Values of the branches that a run does not take
    are marked as not made.
    """
    ends: list[State] = []
    inside = [tracked_in(walk, frame, block) for _, _, block in ways]
    for at, (guard, event, block) in enumerate(ways):
        others = [name for k, names in enumerate(inside) if k != at for name in names]
        not_made = all_of(opposite(made(name)) for name in others)
        entered = step_to(state, all_of((guard, not_made)), event)
        ends.append(walk.block(frame, block, entered))
    return join(*ends)


def tracked_in(walk: ClaimWalk, frame: SymbolicFrame, block: p.Block) -> list[str]:
    if not frame.root or not walk.condition.tracked:
        return []
    names = (i.name for i in all_items(block) if isinstance(i, (p.Step, p.Let)))
    return [name for name in names if name in walk.condition.tracked]


def _plainly(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"`{value}`"
