"""The kernel of approvals and holds: whether an answer, or silence, lets the run go on.

An approval needs a yes in time: no answer is a no. A hold goes on by itself: only a veto in time
stops it.
"""

from __future__ import annotations

from pipelang.semantics import program as p


def passes(person: p.Person, answered_in_time: bool, says_yes: bool) -> bool:
    """Whether the run goes on."""
    if person.kind == "approve":
        return answered_in_time and says_yes
    return not (answered_in_time and not says_yes)


def silence_passes(person: p.Person) -> bool:
    """Whether the run goes on when nobody answers in time."""
    return passes(person, answered_in_time=False, says_yes=False)
