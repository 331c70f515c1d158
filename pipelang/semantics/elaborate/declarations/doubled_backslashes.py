"""Backslashes of patterns that were doubled, as texts of other languages have them."""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CLASS = re.compile(r"[sSdDwWbB](?![A-Za-z])")
_POINT = re.compile(r"\.(?=[A-Za-z])")
_LETTER = re.compile(r"[A-Za-z]")


def doubled_backslash(pattern: str) -> str | None:
    """Return the first part of a pattern that looks for a backslash, where texts of other languages
    would have written a class, a border of words or a point: `\\\\s+`, `\\\\b`, `shop\\\\.com`.
    """
    for found in _ESCAPED.finditer(pattern):
        if found.group(1) != "\\":
            continue
        behind, before = found.end(), pattern[: found.start()][-1:]
        part = _CLASS.match(pattern, behind)
        if part is None and _LETTER.match(before):
            part = _POINT.match(pattern, behind)
        if part is not None:
            return pattern[found.start() : part.end()]
    return None
