"""Cases as JSON, as files of an inbox and rows of a store keep them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pipelang.runtime.inbox.case_flaws import flaw_of
from pipelang.runtime.inbox.cases import Case

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError


class NoCase(ValueError):
    """A text that holds no case of this version. The message says what is wrong."""


@cache
def _adapter() -> TypeAdapter[Case]:
    """The JSON side of cases, which a run that asks nobody does without."""
    from pydantic import TypeAdapter

    return TypeAdapter(Case)


def case_json(case: Case) -> dict[str, Any]:
    """A case as plain JSON, its times as ISO 8601 in UTC."""
    record: dict[str, Any] = _adapter().dump_python(case, mode="json")
    return record


def case_from(data: bytes) -> Case:
    """A case out of the JSON that `case_json` made. Raises `NoCase`."""
    from pydantic import ValidationError

    try:
        case = _adapter().validate_json(data)
    except ValidationError as error:
        raise NoCase(_words(error)) from None
    wrong = flaw_of(case)
    if wrong is not None:
        raise NoCase(wrong)
    return case


def _words(error: ValidationError) -> str:
    """The first of what pydantic found, in a line."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    said = first["msg"][:1].lower() + first["msg"][1:]
    return f"`{where}`: {said}" if where else said
