"""Stands in for google-re2 on the playground's page, where there is none: Python's `re`, guarded.

It takes what RE2 takes, as far as `re` means the same, and refuses the rest: no backreferences, no
looking around, no atomic groups, limited lengths. `re` may take exponential time where RE2 never
does, so the page ends what takes too long. That is good enough for trying a file out, and for
nothing else: the page says so, and a service uses RE2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_PATTERN = 1_000
LONGEST_TEXT = 20_000
MOST_REPEATS = 1_000

_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\(\?[^:)]*[:)]?|[*+?}][+]|.", re.DOTALL
)
_CODE_POINT = re.compile(r"\\x\{([0-9A-Fa-f]{1,8})\}|\\.", re.DOTALL)
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_GROUP = re.compile(r"\(\?(P?<[A-Za-z_]\w*>|[imsU]*(-[imsU]+)?[:)])")
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


class error(Exception):
    """A pattern that is not taken. The message says why."""


class Options:
    """Options as those of RE2; none of them matters here."""

    log_errors = True


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern."""

    pattern: str
    compiled: re.Pattern[str]

    def search(self, text: str) -> re.Match[str] | None:
        """The first place that matches. Raises ValueError for a text that is too long to try."""
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"a text of more than {LONGEST_TEXT} characters is not matched here")
        return self.compiled.search(text)


def compile(pattern: str, options: Options | None = None) -> Pattern:
    """Compile a pattern of RE2's syntax. Raises `error`."""
    pattern.encode()  # half a character raises UnicodeEncodeError, as with RE2
    if len(pattern) > LONGEST_PATTERN:
        raise error(f"a pattern of more than {LONGEST_PATTERN} characters is not tried here")
    try:
        return Pattern(pattern, re.compile(_translated(pattern), re.ASCII))
    except (re.error, OverflowError, RecursionError) as problem:
        raise error(str(problem)) from None


def _translated(pattern: str) -> str:
    lines = re.search(r"\(\?[a-zA-Z]*m", pattern) is not None
    spelled = _counted(_CODE_POINT.sub(_code_point, pattern))
    return "".join(_part(token, lines) for token in _TOKEN.findall(spelled))


def _code_point(found: re.Match[str]) -> str:
    """An escape, where it is a code point in braces, as `re` writes it."""
    if found[1] is None:
        if found[0][1] in "uUN":
            raise error(f"invalid escape sequence: {found[0]}")
        return found[0]
    number = int(found[1], 16)
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise error(f"invalid escape sequence: {found[0]}")
    return f"\\U{number:08x}"


def _counted(pattern: str) -> str:
    for low, high in _REPEAT.findall(pattern):
        if max(int(low), int(high or 0)) > MOST_REPEATS:
            raise error("invalid repetition size")
    return pattern


def _part(token: str, lines: bool) -> str:
    if token.startswith("\\"):
        return _escape(token)
    if token.startswith("["):
        return re.sub(r"\[:(\^?)(\w+):\]", _class, token)
    if token.startswith("(?"):
        if not _GROUP.fullmatch(token):
            raise error(f"invalid perl operator: {token}")
        return token.replace("(?<", "(?P<")
    if len(token) == 2 and token[1] == "+":
        raise error(f"bad repetition operator: {token}")
    return r"\Z" if token == "$" and not lines else token


def _escape(token: str) -> str:
    letter = token[1]
    if letter == "z":
        return r"\Z"
    if letter.isdigit() and letter != "0":
        raise error(f"invalid escape sequence: {token}")
    if letter in "pPCQEXRhHvVkGKZ":
        raise error(f"{token} is not tried here")
    return token


def _class(found: re.Match[str]) -> str:
    if found[1] or found[2] not in _CLASSES:
        raise error(f"{found[0]} is not tried here")
    return _CLASSES[found[2]]
