"""Patterns, by RE2: linear time whatever the pattern and whatever the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any


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


def are_patterns(sources: Iterable[str]) -> bool:
    """Whether RE2 takes these: of a file they may be anything."""
    return all(map(_is_pattern, sources))


@lru_cache(maxsize=1024)
def _is_pattern(source: str) -> bool:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(source, options)
    except (re2.error, ValueError):  # the latter of half a character
        return False
    return True
