"""Symbolic execution of chains: how each action answers or fails, and which effects it may have on
the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from pipelang.analysis.claims import beside, rounds
from pipelang.analysis.claims.formulas import TRUE, Formula, all_of, any_of, opposite
from pipelang.analysis.claims.lacking import may_lack_value, surely_fits
from pipelang.analysis.claims.ordering import ordered
from pipelang.analysis.claims.paths import PathEvent
from pipelang.analysis.claims.states import Answers, State, SymbolicFrame, join, step_to
from pipelang.analysis.claims.values import Cases, Free, Known, Listed, one
from pipelang.diagnostics import Span
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import CALLS_A_TURN
from pipelang.semantics.kernels.chain import attempts
from pipelang.semantics.types import INT
from pipelang.semantics.walk import agent_of

if TYPE_CHECKING:
    from pipelang.analysis.claims.walk import ClaimWalk

Turn = Callable[..., tuple[State, State]]
"""Walks one element: the states in which it answered, and in which it did not."""

MOST_WRITTEN = 16
"""The most elements of a list in the file that are walked one by one."""

CACHED = "what a cache holds is only known while running"


def chain(
    walk: ClaimWalk, frame: SymbolicFrame, step: p.Step, chain: p.Chain, state: State, label: str
) -> tuple[Answers, State]:
    """Return the ways in which a chain is answered, and the state in which all of its links have
    failed.
    """
    answers: Answers = []
    for at, link in enumerate(chain.links):
        if at:
            state = step_to(state, TRUE, PathEvent(f"`{step.name}` falls back", link.span))
        found, state = _link(walk, frame, step, link, state, f"{label}.{at}")
        answers += found
        if not state:
            break
    return answers, state


def _link(
    walk: ClaimWalk, frame: SymbolicFrame, step: p.Step, link: p.Link, state: State, label: str
) -> tuple[Answers, State]:
    action, answers = link.action, list[tuple[State, Cases | None]]()
    if isinstance(action, p.Choose):
        return _choose(walk, frame, step, action, state, label)
    if link.cache is not None and not frame.redoing and may_act(action):
        name = f"cached {frame.prefix}{label}"
        value = walk.symbols.opaque(name, step.type, CACHED, frozenset())
        event = PathEvent(f"`{step.name}` is answered from its cache", link.span)
        answers.append((step_to(state, TRUE, event), one(value)))
    found, failed = _act(walk, frame, step, link, state, label)
    answers += found
    seen, last, again = set(state), failed, label
    for _ in range(1, attempts(link)):
        if not last.keys() - seen:
            break
        seen |= last.keys()
        again = f"{again} again"
        if walk.watched.counts:
            last = step_to(last, TRUE, PathEvent(f"`{step.name}` is tried again", link.span))
        more, last = _act(walk, frame, step, link, last, again)
        answers += more
        failed = join(failed, last)
    return answers, failed


def may_act(action: p.Action) -> bool:
    """Whether an action may have effects besides its answer."""
    return not isinstance(action, (p.AskTier, p.AskRole, p.Value, p.Recall, p.Broken))


def _choose(
    walk: ClaimWalk, frame: SymbolicFrame, step: p.Step, action: p.Choose, state: State, label: str
) -> tuple[Answers, State]:
    patterns = [taken for taken, _ in action.arms]
    guards = walk.symbols.arms(action.subject, patterns, frame.values)
    answers: Answers = []
    failed: list[State] = []
    for at, (guard, (_, arm)) in enumerate(zip(guards, action.arms, strict=True)):
        inside = step_to(state, guard)
        if inside:
            found, lost = _link(walk, frame, step, arm, inside, f"{label}.{at}")
            answers += found
            failed.append(lost)
    return answers, join(*failed)


def _act(
    walk: ClaimWalk, frame: SymbolicFrame, step: p.Step, link: p.Link, state: State, label: str
) -> tuple[Answers, State]:
    """Walk one attempt: return how it answers, and the state in which it may have failed."""
    action = link.action
    match action:
        case p.Value():
            value = walk.symbols.cases(action.value, frame.values)
            lacks = may_lack_value(walk.program, action.value)
            return [(state, value)], state if lacks else {}
        case p.Call():
            called = walk.call(step, action.tool, state, link.span)
            misfit = not _arguments_fit(walk, action.arguments, walk.program.tools[action.tool])
            return [(called, None)], join(called, state) if misfit else called
        case p.RunPipeline():
            given = {
                name: walk.symbols.cases(value, frame.values) for name, value in action.arguments
            }
            prefix = f"{frame.prefix}{label}."
            timed = link.timeout is not None
            answered, failed = walk.child(
                action.pipeline, prefix, given, state, link.span, timed=timed
            )
            callee = walk.program.pipelines[action.pipeline]
            if not _arguments_fit(walk, action.arguments, callee):
                event = PathEvent(
                    f"`{step.name}` gives `{callee.name}` what does not fit", link.span
                )
                failed = join(failed, step_to(state, TRUE, event))
            return list(answered), failed
        case p.Each():
            return _each(walk, frame, step, action, state, label, link.span)
        case p.Agent() | p.Cascade():
            loop = agent_of(action)
            if loop is not None:
                tiers = len(action.tiers) if isinstance(action, p.Cascade) else 1
                most = loop.steps * CALLS_A_TURN * tiers * (link.vote.calls if link.vote else 1)
                state = _agent(walk, frame, step, loop, most, state, label, link.span)
            if isinstance(action, p.Cascade) and action.answers == step.type:
                return [(step_to(state, _satisfied(walk, frame, step, action)), None)], state
            return [(state, None)], state
        case p.AskRole():
            return [(walk.answered(frame, step, state), None)], state
        case p.AskTier() | p.Recall() | p.Broken():
            return [(state, None)], state
        case p.Choose():
            return _choose(walk, frame, step, action, state, label)
        case _:
            assert_never(action)


def _satisfied(walk: ClaimWalk, frame: SymbolicFrame, step: p.Step, action: p.Cascade) -> Formula:
    """Return what holds of the answer of a cascade, whichever of its tiers gave it."""
    answer = one(walk.symbols.free(f"{frame.prefix}{step.name}", step.type))
    return walk.symbols.truth(action.until, {**frame.values, "it": answer})


def _arguments_fit(
    walk: ClaimWalk, given: tuple[tuple[str, expr.Expr], ...], callee: p.Tool | p.Pipeline
) -> bool:
    """Whether arguments surely have a value, and one that fits its parameter."""
    types = {one.name: one.type for one in callee.parameters}
    return all(
        not may_lack_value(walk.program, value) and surely_fits(value.type, types[name])
        for name, value in given
    )


def _agent(
    walk: ClaimWalk,
    frame: SymbolicFrame,
    step: p.Step,
    agent: p.Agent,
    most: int,
    state: State,
    label: str,
    span: Span,
) -> State:
    """Walk an agent, which may call any of its tools and pipelines, in any order and `most` times
    in all.
    """
    entered: set[int] = set()
    everything = dict(state)
    rounds = 0
    while everything.keys() - entered and rounds < most:
        entered |= everything.keys()
        rounds += 1
        found: list[State] = []
        for tool in agent.tools:
            called = everything
            for _ in range(1 + walk.program.tools[tool].retry.count if walk.watched.counts else 1):
                called = walk.call(step, tool, called, span)
                found.append(called)
        for pipeline in agent.pipelines:
            prefix = f"{frame.prefix}{label}.{rounds}."
            answered, failed = walk.child(pipeline, prefix, {}, everything, span)
            found += [*(state for state, _ in answered), failed]
        new = join(*found)
        everything = {**new, **everything}  # what could be so before is the shorter way
    return everything


def _each(
    walk: ClaimWalk,
    frame: SymbolicFrame,
    step: p.Step,
    each: p.Each,
    state: State,
    label: str,
    span: Span,
) -> tuple[Answers, State]:
    """Walk an `each`: no element, or one after the other in the states that earlier ones may have
    left.
    """
    symbols = walk.symbols
    elements = symbols.cases(each.elements, frame.values)
    zero = Known(0, INT)
    empty = any_of(
        all_of((guard, symbols.equal(symbols.length(symbol), zero))) for guard, symbol in elements
    )
    none = step_to(state, empty, PathEvent(f"`{step.name}` has no `{each.variable}`", span))
    some = step_to(state, opposite(empty), PathEvent(f"`{step.name}` goes over its list", span))
    turns = 0
    apart = not each.ordered and walk.resets(each.body)
    if apart:
        some = walk.fork(some)
    known = elements[0][1] if len(elements) == 1 else None

    def turn(
        state: State, item: Cases | None = None, at: int | None = None, *, ends: bool = True
    ) -> tuple[State, State]:
        """Walk one element: the one that is given, that of a place, or any other."""
        nonlocal turns
        turns += 1
        if item is None and at is not None and isinstance(known, Free):
            item = one(symbols.known.element(known, at, each.element))
        if apart:
            state = beside.each_state(state, beside.next_strand)
        name = f"{frame.prefix}{label}.{each.variable}.{turns}"
        frame.values[each.variable] = item or one(symbols.free(name, each.element))
        found, failed = chain(walk, frame, step, each.body, state, f"{label}.{turns}")
        if each.body.end is not None and ends:
            walk.end(frame, each.body.end, failed)
            failed = {}
        return join(*(state for state, _ in found)), failed

    outer = frame.values.get(each.variable)
    written = known
    if walk.watched.counts and walk.may_call_in(each.body):
        lengths = [(guard, symbols.length(symbol)) for guard, symbol in elements]

        def more_than(count: int) -> Formula:
            least = Known(count + 1, INT)
            return any_of(
                all_of((guard, ordered(symbols.known, "<=", least, length)))
                for guard, length in lengths
            )

        items = written.items if isinstance(written, Listed) else None
        every, neither, mixed, ending = rounds.elements(each, items, some, more_than, turn)
        if each.body.end is not None:
            walk.end(frame, each.body.end, ending)
    elif isinstance(written, Listed) and 0 < len(written.items) <= MOST_WRITTEN:
        every, neither, mixed = _written(written, some, turn)
    else:
        every, neither, mixed = _elements(some, turn)
    if apart:
        every, neither, mixed = walk.merge(every, neither, mixed)
    if outer is None:
        frame.values.pop(each.variable, None)
    else:
        frame.values[each.variable] = outer
    answered = join(none, every, mixed) if each.need.partial else join(none, every)
    failed = neither if each.need.kind == "any" else join(neither, mixed)
    return [(answered, None)], failed


def _elements(some: State, turn: Turn) -> tuple[State, State, State]:
    """Walk a list of at least one element; return the states where all elements answered, none did,
    or some did.
    """
    every, neither = turn(some, None, 0)
    spoilt: list[State] = []
    rescued: list[State] = []
    for now, role in ((every, "every"), (neither, "neither")):
        seen: set[int] = set()
        while now.keys() - seen:
            seen |= now.keys()
            worked, failed = turn(now, None)
            # What follows from a path needs more than it: where a path is known, it stays.
            if role == "every":
                spoilt.append(failed)
                now = every = {**worked, **every}
            else:
                rescued.append(worked)
                now = neither = {**failed, **neither}
    mixed = join(*spoilt, *rescued)
    seen = set()
    while mixed.keys() - seen:
        seen |= mixed.keys()
        mixed = {**join(*turn(mixed, None)), **mixed}
    return every, neither, mixed


def _written(written: Listed, some: State, turn: Turn) -> tuple[State, State, State]:
    """Walk a list whose elements are written in the file, one after the other."""
    first, *others = written.items
    every, neither = turn(some, first)
    mixed: State = {}
    for item in others:
        every, spoilt = turn(every, item)
        rescued, neither = turn(neither, item)
        mixed = join(spoilt, rescued, *turn(mixed, item))
    return every, neither, mixed
