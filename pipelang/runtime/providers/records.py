"""Reading of what a server sent: objects or dicts of an SDK, and names of models."""

from __future__ import annotations

from typing import Any


def field_of(value: object, name: str) -> Any:
    """A field of an SDK's object or of a dict; None where there is none."""
    if isinstance(value, dict):
        return value.get(name)
    return getattr(value, name, None)


def list_of(value: object, name: str) -> list[Any]:
    """The list in a field; an empty one where there is none, or something else."""
    found = field_of(value, name)
    return list(found) if isinstance(found, (list, tuple)) else []


def text_in(value: object, name: str) -> str | None:
    """The text in a field; None where there is none, or something else."""
    found = field_of(value, name)
    return found if isinstance(found, str) and found else None


def as_sent(items: list[Any]) -> list[Any]:
    """The items of an answer as JSON, for the API that wants them back; what is no item is left
    out.
    """
    made = (item for item in items if hasattr(item, "model_dump"))
    # Where a server's types are not the SDK's, its serializer would warn on standard error.
    return [item.model_dump(mode="json", exclude_none=True, warnings=False) for item in made]


def is_model(answered: str | None, asked: str | None) -> bool:
    """Whether a model may be the one that was asked: makers answer with a longer name, that of the
    day's version (`gpt-6-luna-2026-11-02`) or with the path to it. An unknown one may be any.
    """
    if not answered or not asked:
        return True
    short, long = sorted((answered.rpartition("/")[2], asked.rpartition("/")[2]), key=len)
    rest = long.removeprefix(short)
    return not rest or (len(rest) < len(long) and rest[0] in "-@:")
