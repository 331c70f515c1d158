"""The kernel of a vote: when it is decided, and which answer has won.

`vote N` makes N calls and needs more than half of N to agree. `vote lead K of N` goes on until one
answer leads every other by K, for at most N calls. A call that fails is a call; each has the step's
retries for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import assert_never

from pipelang.semantics import program as p


class Open(Enum):
    """A vote without a winner: it goes on, or it is over in vain."""

    GOES_ON = "goes on"
    FAILED = "failed"


def verdict(vote: p.Vote, tally: Sequence[int], calls: int) -> int | Open:
    """The index of the winning answer, given how often each was given in so many calls."""
    match vote:
        case p.Majority():
            if calls < vote.calls:
                return Open.GOES_ON
            for index, count in enumerate(tally):
                if 2 * count > vote.calls:
                    return index
            return Open.FAILED
        case p.Lead():
            ordered = sorted(range(len(tally)), key=lambda index: -tally[index])
            if ordered:
                behind = tally[ordered[1]] if len(ordered) > 1 else 0
                if tally[ordered[0]] - behind >= vote.lead:
                    return ordered[0]
            return Open.FAILED if calls >= vote.calls else Open.GOES_ON
        case _:
            assert_never(vote)
