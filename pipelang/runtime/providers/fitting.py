"""Validation of answers against their type, with messages for a person and for the model.

A message names fields, rules and enum members, never the values that came: they are the
model's words about somebody's data, and the text goes into traces and into the next prompt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.misfits import told
from pipelang.runtime.files.strict_json import DuplicateKey, loads

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_MAX_PROBLEMS = 5
"""One broken field breaks a dozen others; the first few tell what is wrong."""


class DoesNotFit(ValueError):
    """The text is no JSON, or JSON of another type. The message says what doesn't fit."""


def fit(model: type[BaseModel], text: str) -> Any:
    """The JSON value in `text`, validated by `model`. Raises DoesNotFit.

    Names are the schema's own (aliases, where a field has one), so that the value fits `model`
    again; numbers, enums and times are as JSON has them.
    """
    from pydantic import ValidationError

    try:
        value = model.model_validate_json(text).model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        problem = _describe(error)
    else:
        twice = _duplicate(text)
        if twice is None:
            return value
        problem = twice
    # Outside of `except`: pydantic's error holds the whole answer and mustn't travel as context.
    raise DoesNotFit(problem)


def _duplicate(text: str) -> str | None:
    """The message for a JSON text with a key that stands twice, of which pydantic takes the last;
    None if there is none.
    """
    try:
        loads(text)
    except DuplicateKey as error:
        return str(error)
    except (ValueError, RecursionError):
        return None  # pydantic took it: a number too large for `int`, say
    return None


def shorten(text: str, size: int) -> str:
    """`text` in at most `size` bytes of UTF-8, with an ellipsis where something was cut."""
    encoded = text.encode("utf-8", errors="replace")
    if len(encoded) <= size:
        return text
    return encoded[: size - 3].decode("utf-8", errors="ignore") + "…"


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    messages = []
    for problem in problems[:_MAX_PROBLEMS]:
        place = ".".join(str(part) for part in problem["loc"])
        said = told(problem["type"], problem["msg"])
        messages.append(f"`{place}`: {said}" if place else said)
    more = len(problems) - _MAX_PROBLEMS
    return "; ".join(messages) + (f"; and {more} more" if more > 0 else "")
