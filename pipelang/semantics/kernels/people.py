"""The kernel of approvals and holds: whether an answer, or silence, lets the run go on.

An approval needs a yes in time: no answer is a no. A hold goes on by itself: only a veto in time
stops it. A no to an approval with a redo sends the step back; silence sends nothing back.
"""

from __future__ import annotations

from pipelang.semantics import program as p


def passes(person: p.Person, answered_in_time: bool, says_yes: bool) -> bool:
    """Whether the run goes on."""
    if person.kind == "approve":
        return answered_in_time and says_yes
    return not (answered_in_time and not says_yes)


def sends_back(person: p.Person, answered_in_time: bool, says_yes: bool) -> bool:
    """Whether an answer asks for a redo, as long as there are some left."""
    return isinstance(person.otherwise, p.Redo) and answered_in_time and not says_yes


def silence_passes(person: p.Person) -> bool:
    """Whether the run goes on when nobody answers in time."""
    return passes(person, answered_in_time=False, says_yes=False)
