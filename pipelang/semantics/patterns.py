"""Patterns, by RE2: linear time whatever the pattern and whatever the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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


class Patterns:
    """The compiled `patterns` of a program. A text matches if any pattern is found in it."""

    def __init__(self, patterns: Mapping[str, tuple[str, ...]]) -> None:
        self.sources = patterns
        self._compiled: dict[str, list[Any]] = {}

    def matches(self, name: str, text: str) -> bool:
        """Whether one of the named patterns is found anywhere in the text."""
        compiled = self._compiled.get(name)
        if compiled is None:
            import re2

            options = re2.Options()
            options.log_errors = False
            compiled = [re2.compile(source, options) for source in self.sources[name]]
            self._compiled[name] = compiled
        return any(pattern.search(text) is not None for pattern in compiled)
