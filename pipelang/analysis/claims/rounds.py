"""Symbolic execution of steps that run side by side, and of what runs several times: rounds of a
redo, elements of a list, and steps that finish although the run is ending. Claims that count calls
(`at most`) walk these one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pipelang.analysis.claims import beside
from pipelang.analysis.claims.formulas import FALSE, TRUE, Formula, all_of, opposite
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.moments import made
from pipelang.analysis.claims.paths import PathEvent, meet
from pipelang.analysis.claims.states import State, SymbolicFrame, join, step_to
from pipelang.analysis.claims.values import Cases
from pipelang.records import replace
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.analysis.claims.walk import ClaimWalk

MOST_COUNTED = 200
"""The most calls that a claim counts up to."""

Test = Callable[[SymbolicFrame], tuple[Formula, Formula]]
"""Under which formulas a test lets the run go on, and sends it back, by the values of a frame."""

Turn = Callable[..., tuple[State, State]]
"""Walks one element: the states in which it answered, and in which it did not."""


def _first(segment: p.Region | p.Barrier) -> int:
    return segment.members[0] if isinstance(segment, p.Region) else segment.index


def note(frame: SymbolicFrame, block: p.Block, segment: p.Region | p.Barrier, state: State) -> None:
    """Note the state and the values before a segment: a redo may begin there."""
    frame.entries[id(block), _first(segment)] = (state, dict(frame.values))


def region(
    walk: ClaimWalk, frame: SymbolicFrame, block: p.Block, members: list[p.Item], state: State
) -> State:
    """Walk steps that run side by side. A step that does not read another may run before it,
    and also when the other ended the run; this matters for claims about a tool that only reads.
    """
    if len(members) == 1:
        return walk.item(frame, block, members[0], state)
    tool = walk.watched.tool
    reads = tool is not None and not walk.program.tools[tool].acts
    reads = reads and any(walk.may_call(item) for item in members)
    if reads and walk.watched.counts:
        return _counted_region(walk, frame, block, members, state)
    waits = frame.root and bool(walk.condition.tracked) and walk.ends is None
    if waits:
        walk.ends = []
    again = {item.name for item in members if isinstance(item, p.Step) and walk.resets(item.chain)}
    apart = len(again) > 1
    if apart:
        state = walk.fork(state)
    earlier = frozenset[str]()
    entry, before, lost = state, frozenset[str](), frozenset[str]()
    needs: dict[str, frozenset[str]] = {}
    late: list[tuple[str, str, State]] = []
    for item in members:
        assert isinstance(item, (p.Step, p.Let))
        own = item.reads & before
        needs[item.name] = own.union(*(needs[name] for name in own))
        if apart:
            follows = bool(earlier) and earlier <= needs[item.name]
            change = beside.gathered if follows else beside.next_strand
            state = beside.each_state(state, change)
            earlier |= again & {item.name}
        if reads and needs[item.name] != before and isinstance(item, p.Step):
            aside = SymbolicFrame(
                frame.pipeline, f"{frame.prefix}~", dict(frame.values), frame.root, True
            )
            walk.step(aside, item, entry)
        before |= {item.name}
        if state:
            state = after = walk.item(frame, block, item, state)
        elif not needs[item.name] & lost:  # it is finished although the run is ending
            after = walk.item(frame, block, item, entry)
        else:
            after = {}
        lost |= frozenset() if after else {item.name}
        if waits and walk.ends:
            late += [(item.name, kind, ended) for kind, ended in walk.ends]
            walk.ends = []
    if apart:
        (state,) = walk.merge(state)
    if waits:
        walk.ends = None
        for name, kind, ended in late:
            dead = [o for o in walk.condition.tracked if o == name or name in needs.get(o, ())]
            ended = step_to(ended, all_of(opposite(made(other)) for other in dead))
            if reads:  # a call beside it may have been made, whatever came first in writing
                ended = join(ended, {True: path} if (path := meet(ended.values())) else {})
            walk.finish(kind, ended)
    return state


def _counted_region(
    walk: ClaimWalk, frame: SymbolicFrame, block: p.Block, members: list[p.Item], state: State
) -> State:
    """Walk steps that run side by side. One that ends the run stops none of the others, so each is
    walked from all states that the ones before it may have left.
    """
    reached, may_end = state, False
    for item in members:
        if isinstance(item, p.Step) and len(members) > 1:
            values = dict(frame.values)
            aside = SymbolicFrame(frame.pipeline, f"{frame.prefix}~", values, frame.root, True)
            answers, failed = walk.attempted(aside, item, reached)
            may_end = may_end or bool(failed) or bool(aside.failed)
            reached = join(*(found for found, _ in answers), failed, *aside.failed)
        if state:
            state = walk.item(frame, block, item, state)
    if may_end and not frame.root:
        frame.failed.append(reached)
    return state


def redone(
    walk: ClaimWalk,
    frame: SymbolicFrame,
    block: p.Block,
    item: p.Gate | p.Person,
    redo: p.Redo,
    test: Test,
    event: PathEvent,
) -> State:
    """Return the states that pass a test after at least one redo; those that never do end the run.

    Values of the last round have their plain names, since what follows reads them; the rounds
    before have names of their own.
    """
    index = next(at for at, one in enumerate(block.items) if one is item)
    again = [at for at in redo.reruns if at != index]
    if frame.redoing or not any(walk.may_call(block.items[at]) for at in again):
        return {}
    for between in block.items[again[0] : index]:
        if isinstance(between, p.Gate) and isinstance(between.otherwise, p.Redo):
            raise TooHard("a redo inside a redo makes calls")
    first = max(_first(one) for one in block.segments if _first(one) <= again[0])
    entered, values = frame.entries[id(block), first]
    last = replace(frame, redoing=True)
    found: State = {}
    seen: set[int] = set()
    early = _round(frame, 1, values)
    now = _through(walk, early, block, range(first, index), entered)
    now = step_to(now, test(early)[1], PathEvent(words_of(item, redo), item.span))
    for number in range(1, redo.times + 1):
        done = _through(walk, last, block, again, now)
        goes_on, back = test(last)
        found = join(found, step_to(done, goes_on, event))
        walk.end(frame, redo.otherwise, step_to(done, back))
        if not now.keys() - seen:
            break
        seen |= now.keys()
        early = _round(frame, number + 1, early.values)
        now = _through(walk, early, block, again, now)
        now = step_to(now, test(early)[1], PathEvent(words_of(item, redo), item.span))
    return found


def words_of(item: p.Gate | p.Person, redo: p.Redo) -> str:
    """Return the words of a redo as a step of a path."""
    if isinstance(item, p.Gate):
        return f"gate `{item.name.split(' ')[0]}` does not hold, and `{redo.step}` is redone"
    return f"`{item.role}` sends `{redo.step}` back for `{item.name}`"


def _round(frame: SymbolicFrame, number: int, values: dict[str, Cases]) -> SymbolicFrame:
    prefix = f"{frame.prefix}round {number} "
    return replace(frame, prefix=prefix, values=dict(values), redoing=True)


def _through(
    walk: ClaimWalk, frame: SymbolicFrame, block: p.Block, indices: Iterable[int], state: State
) -> State:
    """Walk some items of a block."""
    chosen = set(indices)
    for segment in block.segments:
        members = segment.members if isinstance(segment, p.Region) else (segment.index,)
        items = [block.items[index] for index in members if index in chosen]
        if items and state:
            if isinstance(segment, p.Region):
                state = _counted_region(walk, frame, block, items, state)
            else:
                state = walk.item(frame, block, items[0], state)
    return state


def elements(
    each: p.Each,
    items: Sequence[Cases] | None,
    some: State,
    more_than: Callable[[int], Formula],
    turn: Turn,
) -> tuple[State, State, State, State]:
    """Walk a list of at least one element, one by one; return the states where all elements
    answered, none did, or some did, and those where one of them has ended the run. `items` are the
    elements where the file lists them, `more_than` says when there are more than so many.
    """
    most = each.most if items is None else len(items)
    now: list[State] = [some, {}, {}, {}]
    done: list[list[State]] = [[], [], [], []]
    seen: set[tuple[int, ...]] = set()
    for count in range(1, most + 1):
        now = _one_more(each, now, None if items is None else items[count - 1], count, turn, done)
        keys = tuple(sorted({key for state in now for key in state}))
        more = more_than(count) if items is None else TRUE
        if count == most or keys in seen:
            more = FALSE
        seen.add(keys)
        for group, state in zip(done, now, strict=True):
            group.append(step_to(state, opposite(more)))
        now = [step_to(state, more) for state in now]
        if not any(now):
            break
    every, neither, mixed, ending = (join(*group) for group in done)
    return every, neither, mixed, ending


def _one_more(
    each: p.Each,
    now: list[State],
    item: Cases | None,
    count: int,
    turn: Turn,
    done: list[list[State]],
) -> list[State]:
    """Walk one more element. An `ordered` list is over with the first that does not answer."""
    every, neither, mixed, ending = now
    ends = each.body.end is not None

    def walked(state: State) -> tuple[State, State]:
        return turn(state, item, count - 1, ends=False) if state else ({}, {})

    worked, failed = walked(every)
    if each.ordered:
        done[3 if ends else 1 if count == 1 else 2].append(failed)
        return [worked, {}, {}, {}]
    over = join(*walked(ending))
    if ends:
        return [worked, {}, {}, join(over, failed)]
    rescued, lost = walked(neither)
    both = join(rescued, *walked(mixed))
    if count == 1:
        return [worked, failed, {}, {}]
    return [worked, lost, join(both, failed), {}]
