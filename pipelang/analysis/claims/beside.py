"""Runs side by side, in the state of a monitor of tests that each run of a pipeline passes anew.

A test of a sub-pipeline counts until that is run again. Of runs side by side (steps of a region,
elements of an `each`) none is the latest: any may begin last. So what runs beside a call is neither
before it nor resets what was, and what comes after all of them needs the test passed in each.

A state is a stack of levels, the innermost in the lowest bits. A level says whether the test counts
as passed where the walk is, and what the strands of this level (its steps, its elements) have done.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelang.analysis.claims.paths import Path
from pipelang.analysis.claims.states import State, met

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
