"""Partial answers: what a model has written of one so far, for whoever listens to the run.

A partial answer is for the eye: it is not checked, may still fail its type, and is told again from
the start by the next attempt. Nothing of it is kept.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.run import Run
from pipelang.semantics.types import (
    TEXT,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
)

PART = 128
"""A text is looked at again when it has grown by so small a part of itself: looked at with each of
its pieces, a long one would take time by the square of its length.
"""


def listener(run: Run, step: str, answers: Type) -> PartialAnswer | None:
    """The listener to an answer's text; None where nobody listens to the run, or where a part of
    the answer is secret.
    """
    if run.terms.partial is None or _may_be_secret(answers):
        return None
    return PartialAnswer(run, step, answers)


class PartialAnswer:
    """An answer as far as it is written, told to whoever listens to the run."""

    def __init__(self, run: Run, step: str, answers: Type) -> None:
        self._run = run
        self._step = step
        self._answers = answers
        self._text = ""
        self._looked = 0
        self._told: Any = None

    def add(self, piece: str) -> None:
        """Take a piece, and tell the answer so far if it has grown by enough."""
        self._text += piece
        if len(self._text) - self._looked >= len(self._text) // PART:
            self._tell()

    def end(self) -> None:
        """Tell the rest of an answer that is whole."""
        if self._looked < len(self._text):
            self._tell()

    def _tell(self) -> None:
        self._looked = len(self._text)
        heard = self._run.terms.partial
        value = self._value(hide(self._run, self._text))
        if heard is not None and value is not None and value != self._told:
            self._told = value
            heard(self._run.path + self._step, value)

    def _value(self, text: str) -> Any:
        """The text, or the JSON of what is there of a typed answer; None for nothing yet."""
        if self._answers == TEXT:
            return text or None
        try:
            value = _json().validate_json(text, experimental_allow_partial="trailing-strings")
        except ValueError:
            return None
        if isinstance(self._answers, RecordType):
            return value if isinstance(value, dict) and value else None
        return value.get("answer") if isinstance(value, dict) else None


@cache
def _json() -> TypeAdapter[Any]:
    return TypeAdapter(Any)


def _may_be_secret(type: Type) -> bool:
    if "secret" in getattr(type, "labels", ()):
        return True
    match type:
        case RecordType():
            return any(_may_be_secret(field.type) for field in type.fields)
        case ListType():
            return _may_be_secret(type.element)
        case MapType():
            return _may_be_secret(type.value)
        case OptionalType():
            return _may_be_secret(type.inner)
        case _:
            return False
