"""Reading of what a server sent: objects or dicts of an SDK, and names of models."""

from __future__ import annotations

from typing import Any


def field_of(value: object, name: str) -> Any:
    """A field of an SDK's object or of a dict; None where there is none."""
    if isinstance(value, dict):
        return value.get(name)
    return getattr(value, name, None)


def is_model(answered: str | None, asked: str | None) -> bool:
    """Whether a model may be the one that was asked: makers answer with a longer name, that of the
    day's version (`gpt-6-luna-2026-11-02`) or with the path to it. An unknown one may be any.
    """
    if not answered or not asked:
        return True
    short, long = sorted((answered.rpartition("/")[2], asked.rpartition("/")[2]), key=len)
    rest = long.removeprefix(short)
    return not rest or (len(rest) < len(long) and rest[0] in "-@:")
