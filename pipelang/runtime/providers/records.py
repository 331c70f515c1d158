"""Reading of what a server sent, whether the SDK made an object or a dict of it."""

from __future__ import annotations

from typing import Any


def field_of(value: object, name: str) -> Any:
    """A field of an SDK's object or of a dict; None where there is none."""
    if isinstance(value, dict):
        return value.get(name)
    return getattr(value, name, None)
