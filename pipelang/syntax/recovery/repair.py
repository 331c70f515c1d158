"""Small edits at an error, each verified by parsing on before it is accepted.

A hint brings its own edit. Where there is none, one sign or word is put in, put in place of the
token, or a few tokens are left out, and the edit with which the parser gets furthest is taken, if
that is far enough to be no accident. The tree is then the one that the author most likely meant.
"""

from __future__ import annotations

from pipelang.syntax.recovery.hints import ErrorSite, TokenEdit
from pipelang.syntax.recovery.hints.options import BEGINNING
from pipelang.syntax.recovery.probe import AutomatonProbe
from pipelang.syntax.tokens import Token

FAR = 8
"""Number of tokens that are tried behind an edit."""
ENOUGH = 4
"""With so many of them read, an edit is believed."""

_OPENING = frozenset("{([")
_CLOSING = frozenset("})]")
_INSERTED = (
    ") ] } , : = -> => { ( else to by from then in with over up until within because mean "
    "median max p95 of . =="
).split()
_REPLACED = ": = -> => , == ) ] } { (".split()
_LEFT_OUT = (1, 2, 3)


def is_good(spot: ErrorSite, states: list[int], edit: TokenEdit) -> bool:
    """Whether the edit of a hint fits here: the next token of the line is read with it."""
    if spot.index + edit.skip > len(spot.tokens):
        return False
    needed = 0 if spot.ends_line(edit.skip) else 1
    return _reach(spot, states, edit, 1) >= needed


def best_edit(spot: ErrorSite, states: list[int]) -> TokenEdit | None:
    """The edit that gets the parser furthest; None if none gets it far enough."""
    best: tuple[int, TokenEdit] | None = None
    for edit in _candidates(spot):
        reach = _reach(spot, states, edit, FAR)
        if reach >= min(ENOUGH, _left(spot, edit)) and (best is None or reach > best[0]):
            best = reach, edit
            if reach >= FAR:
                break
    return None if best is None else best[1]


def in_words(spot: ErrorSite, edit: TokenEdit) -> str:
    """An edit as advice."""
    letters = " ".join(text for _, text in edit.insert)
    left_out = " ".join(spot.after(n).text for n in range(edit.skip))
    if not edit.insert:
        return f"leave out `{left_out}`"
    if edit.skip:
        return f"write `{letters}` here"
    if spot.on_new_line:
        return f"is a `{letters}` missing before it?"
    return f"put `{letters}` before it"


def _candidates(spot: ErrorSite) -> list[TokenEdit]:
    made = []
    for letters in _INSERTED:
        if spot.terminal(letters) in spot.expected and (
            (letters not in _OPENING and letters not in _CLOSING) or letters in spot.missing
        ):
            made.append(TokenEdit(0, 0, spot.put(letters)))
    if not spot.token.text.isidentifier():
        for letters in _REPLACED:
            if spot.terminal(letters) in spot.expected and letters not in _OPENING:
                made.append(TokenEdit(0, 1, spot.put(letters)))
    for count in _LEFT_OUT:
        if spot.index + count > len(spot.tokens) or _begins(spot, count - 1):
            break
        left_out = [spot.after(n).text for n in range(count)]
        if not any(
            text in _OPENING or (text in _CLOSING and text not in spot.extra) for text in left_out
        ):
            made.append(TokenEdit(0, count))
    return made


def _begins(spot: ErrorSite, distance: int) -> bool:
    """Whether the token is a line's first and the beginning of something of its own."""
    if not spot.ends_line(distance):
        return False
    token = spot.after(distance) if distance else spot.token
    return token.text in BEGINNING or (distance > 0 and spot.after(distance + 1).text == ":")


def _reach(spot: ErrorSite, states: list[int], edit: TokenEdit, far: int) -> int:
    """Number of tokens behind the edit that are read with it, at most `far`; the end is one."""
    if edit.drop >= len(states):
        return -1
    trial = AutomatonProbe(spot.grammar, states, len(states) - edit.drop)
    for kind, _ in edit.insert:
        if not trial.take(kind):
            return -1
    first = spot.index + edit.skip
    upcoming = spot.tokens[first : first + far]
    if len(upcoming) < far:
        upcoming.append(END)
    return trial.progress(upcoming)


def _left(spot: ErrorSite, edit: TokenEdit) -> int:
    """Number of tokens behind an edit, the end counted as one."""
    return len(spot.tokens) - spot.index - edit.skip + 1


END = Token("$END", "", 0, 0)
