"""Redaction: values that types label `secret`, and the secrets behind references, leave no run.

Labelled values are left out where they stand as themselves (`values.shown`). Here is the rest: a
text that somebody else wrote, such as a tool's exception, may quote them. They are looked for when
there is such a text, which is when something failed, so that a run that goes well pays nothing. A
run without `references`, as a simulated one is, has nothing real to hide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from pipelang.runtime.engine.secrets import notations, redacted, redacted_json, secrets_behind
from pipelang.runtime.engine.values import attribute, to_json
from pipelang.semantics import program as p
from pipelang.semantics.kernels.media import FORMATS, PDF
from pipelang.semantics.types import (
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    media_in,
)
from pipelang.semantics.walk import all_items

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run

Given = Iterable[tuple[Type, Any]]
"""Values with their types."""


def hide(run: Run, text: str, given: Given = ()) -> str:
    """A text that somebody else wrote, without secrets of the run; `given` is what it worked on."""
    if not text or run.terms.references is None:  # as a person's reason mostly is
        return text
    return redacted(text, _notations(run, given))


def hide_json(run: Run, value: Any) -> Any:
    """A JSON value without secrets of the run."""
    return value if run.terms.references is None else redacted_json(value, _notations(run, ()))


def arguments_of(action: p.Action, program: p.Program, values: Mapping[str, Any]) -> Given:
    """The arguments of an ask or a call with the types of its parameters."""
    parameters: tuple[p.Parameter, ...] = ()
    if isinstance(action, p.Call):
        parameters = program.tools[action.tool].parameters
    elif isinstance(action, (p.AskTier, p.AskRole)):
        parameters = program.prompts[action.prompt].parameters
    return [(q.type, values[q.name]) for q in parameters if q.name in values]


def _notations(run: Run, given: Given) -> list[str]:
    values = secrets_behind(run.terms.references or ())
    for type, value in (*given, *_known(run)):
        values += secret_texts(type, value)
    return notations(values)


def _known(run: Run) -> Iterator[tuple[Type, Any]]:
    """Every value of a run and of those around it, with its type."""
    at: Run | None = run
    while at is not None:
        for parameter in at.pipeline.parameters:
            yield parameter.type, at.values.get(parameter.name)
        for name, step in list(at.made.items()):
            yield step.type, at.values.get(name)
        for item in all_items(at.pipeline.block):
            if isinstance(item, p.Let) and item.name in at.values:
                yield item.value.type, at.values[item.name]
        at = at.parent


def secret_texts(type: Type, value: Any) -> Iterator[str]:
    """The texts in a value that its type labels `secret`."""
    if value is None:
        return
    if "secret" in type.labels:
        formats = (*FORMATS, PDF) if media_in(type) else ()  # no secret: a million files have them
        yield from (text for text in _texts(to_json(value)) if text not in formats)
        return
    match type:
        case RecordType() if isinstance(value, BaseModel):
            for field in type.fields:
                yield from secret_texts(field.type, getattr(value, attribute(field.name)))
        case ListType() if isinstance(value, list) and may_hide(type.element):
            for item in value:
                yield from secret_texts(type.element, item)
        case MapType() if isinstance(value, dict) and may_hide(type.value):
            for item in value.values():
                yield from secret_texts(type.value, item)
        case OptionalType():
            yield from secret_texts(type.inner, value)
        case _:
            return


def may_hide(type: Type) -> bool:
    """Whether something in values of a type may be labelled `secret`."""
    if "secret" in type.labels:
        return True
    match type:
        case RecordType():
            return any(may_hide(field.type) for field in type.fields)
        case ListType():
            return may_hide(type.element)
        case MapType():
            return may_hide(type.value)
        case OptionalType():
            return may_hide(type.inner)
        case _:
            return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
