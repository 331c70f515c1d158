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
            compiled = self._compiled[name] = [*map(compiled_pattern, self.sources[name])]
        return any(pattern.search(text) is not None for pattern in compiled)


def compiled_pattern(source: str) -> Any:
    """A pattern as RE2 compiles it, whose own log line to stderr is kept quiet. Raises `re2.error`,
    and UnicodeEncodeError for half a character.
    """
    import re2

    quiet = re2.Options()
    quiet.log_errors = False
    return re2.compile(source, quiet)


def are_patterns(sources: Iterable[str]) -> bool:
    """Whether RE2 takes these: of a file they may be anything."""
    return all(map(_is_pattern, sources))


@lru_cache(maxsize=1024)
def _is_pattern(source: str) -> bool:
    import re2

    try:
        compiled_pattern(source)
    except (re2.error, ValueError):  # the latter of half a character
        return False
    return True
