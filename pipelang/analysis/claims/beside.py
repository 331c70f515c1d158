"""Runs side by side, in the state of a monitor of tests that each run of a pipeline passes anew.

A test of a sub-pipeline counts until that is run again. Of runs side by side (steps of a region,
elements of an `each`) none is the latest: any may begin last. So what runs beside a call is neither
before it nor resets what was, and what comes after all of them needs the test passed in each.

A state is a stack of levels, the innermost in the lowest bits. A level says whether the test counts
as passed where the walk is, and what the strands of this level (its steps, its elements) have done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelang.analysis.claims import rounds
from pipelang.analysis.claims.formulas import all_of, opposite
from pipelang.analysis.claims.moments import made
from pipelang.analysis.claims.paths import Path, meet
from pipelang.analysis.claims.states import State, SymbolicFrame, join, met, step_to
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.analysis.claims.walk import ClaimWalk

PASSED = 1
"""The test was passed in the latest run of its pipeline, as it is seen from here."""
BEGUN = 2
"""The strand that is walked has run the pipeline."""
SPOILT = 4
"""A strand before it has, and its last run of it did not pass the test."""
OTHERS = 8
"""A strand before it has run the pipeline."""
LEVEL = 4
"""The bits of a level."""


def begun(state: int) -> int:
    """Return the state after the pipeline has begun: its test has yet to be passed."""
    return (state & ~PASSED) | BEGUN


def fork(state: int) -> int:
    """Return the state before the first of several strands."""
    return state << LEVEL | state & PASSED


def next_strand(state: int) -> int:
    """Return the state before the next strand, which knows of what was before all of them."""
    found = state & (SPOILT | OTHERS)
    if state & BEGUN:
        found |= OTHERS if state & PASSED else OTHERS | SPOILT
    return state & -(1 << LEVEL) | found | state >> LEVEL & PASSED


def gathered(state: int) -> int:
    """Return the state before a strand that starts when all of those before it are done."""
    state = next_strand(state)
    if not state & OTHERS:
        return state
    return state & -(1 << LEVEL) | BEGUN | (0 if state & SPOILT else PASSED)


def merged(state: int) -> int:
    """Return the state after all strands."""
    state = gathered(state)
    return begun(state >> LEVEL) | state & PASSED if state & BEGUN else state >> LEVEL


def each_state(state: State, change: Callable[[int], int]) -> State:
    """Return the paths of a state under changed keys."""
    found: dict[int, list[Path | None]] = {}
    for key, path in state.items():
        found.setdefault(change(key), []).append(path)
    return met(found)


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
        return rounds.region(walk, frame, block, members, state)
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
            change = gathered if follows else next_strand
            state = each_state(state, change)
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
