"""JSON as the standard has it, in which no object has a key twice: one of the two values would be
lost without a word, and nobody knows which one was meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class DuplicateKey(ValueError):
    """An object with a key that stands twice. The message names it."""


def loads(text: str | bytes, parse_float: Callable[[str], Any] | None = None) -> Any:
    """The value of a JSON text. Raises ValueError, `DuplicateKey` among them; RecursionError."""
    return json.loads(text, object_pairs_hook=_object, parse_float=parse_float)


def line(value: Any) -> str:
    """A JSON value as a line of a file: its letters as they are, if UTF-8 has them all and none is
    an end for readers of lines.
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text if len(text.splitlines()) == 1 else json.dumps(value)


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number; `true` is none, though Python counts with it."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKey(f"the key `{key}` stands twice in one object")
            seen.add(key)
    return made
