"""Rendering prompts over JSON values, in the sandbox of `sandbox`.

Untrusted values are only ever values; they are never read as templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from pipelang.runtime.media.medium import DIGEST, Media
from pipelang.semantics.kernels.prices import FAILURE_TOKENS, FEEDBACK_TOKENS
from pipelang.semantics.types import (
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    Type,
    is_medium,
)

if TYPE_CHECKING:
    from jinja2 import Template

    from pipelang.runtime.prompts.sandbox import Sandbox

FEEDBACK_BYTES = 3 * FEEDBACK_TOKENS
FAILURE_BYTES = 3 * FAILURE_TOKENS
"""Tokens by our own count, which is three bytes each."""


class RenderError(ValueError):
    """A template that could not be rendered with these values."""


class ShownRecord(dict[str, Any]):
    """A record's JSON, of which a template reads fields by the names of the program. As a whole it
    is shown as JSON has it, by outer names.
    """

    def __init__(self, json: Mapping[str, Any], keys: Mapping[str, str]) -> None:
        super().__init__(json)
        self._keys = keys

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(self._keys[name])


class ShownMedia(dict[str, Any]):
    """The JSON of a picture or document. As a text it is the mark of where it stands."""

    def __init__(self, json: Mapping[str, Any], mark: str) -> None:
        super().__init__(json)
        self._mark = mark

    def __str__(self) -> str:
        return self._mark


class MediaMarks:
    """Marks in a rendered text for the pictures and documents that stand there. No text of anybody
    can have them: each render has its own.
    """

    def __init__(self, media: Mapping[str, Media]) -> None:
        self._media = media
        self._sign = f"[medium {token_hex(12)} " if media else ""

    def shown(self, json: Mapping[str, Any]) -> ShownMedia:
        """The JSON of a picture or document, for a template."""
        return ShownMedia(json, f"{self._sign}{json[DIGEST]}]")

    def parts(self, text: str) -> tuple[str | Media, ...]:
        """A rendered text apart, with the pictures and documents where they stand; empty where
        there are none.
        """
        if not self._sign or self._sign not in text:
            return ()
        first, *others = text.split(self._sign)
        found: list[str | Media] = [first]
        for other in others:
            digest, _, rest = other.partition("]")
            found += [self._media[digest], rest]
        return tuple(part for part in found if part != "")


def for_template(type: Type, json: Any, marks: MediaMarks | None = None) -> Any:
    """The JSON of a value as a template reads it."""
    return _read_by_name(type, json, marks) if _is_read_otherwise(type) else json


def _is_read_otherwise(type: Type) -> bool:
    """Whether something in a type has an outer name, or is a picture or document."""
    match type:
        case RecordType():
            return any(one.outer is not None or _is_read_otherwise(one.type) for one in type.fields)
        case ListType():
            return _is_read_otherwise(type.element)
        case MapType():
            return _is_read_otherwise(type.value)
        case OptionalType():
            return _is_read_otherwise(type.inner)
        case _:
            return is_medium(type)


def _read_by_name(type: Type, json: Any, marks: MediaMarks | None) -> Any:
    match type:
        case Scalar() if marks is not None and is_medium(type) and isinstance(json, dict):
            return marks.shown(json)
        case RecordType() if isinstance(json, dict):
            types = {field.key: field.type for field in type.fields}
            parts = {key: _read_by_name(types[key], part, marks) for key, part in json.items()}
            return ShownRecord(parts, {field.name: field.key for field in type.fields})
        case ListType() if isinstance(json, list):
            return [_read_by_name(type.element, part, marks) for part in json]
        case MapType() if isinstance(json, dict):
            return {key: _read_by_name(type.value, part, marks) for key, part in json.items()}
        case OptionalType():
            return _read_by_name(type.inner, json, marks)
        case _:
            return json


@cache
def _environment() -> Sandbox:
    from pipelang.runtime.prompts.sandbox import Sandbox

    return Sandbox()


@lru_cache(maxsize=4096)
def compiled(text: str) -> Template:
    """A template, compiled once."""
    template: Template = _environment().from_string(text)
    return template


def render(text: str, values: Mapping[str, Any]) -> str:
    """A template with JSON values put in. Raises `RenderError`."""
    from pipelang.runtime.prompts.sandbox import OUTPUT_LIMIT, WORK

    parts: list[str] = []
    size = 0
    try:
        for part in compiled(text).generate({**values, WORK: [0]}):
            size += len(part)
            if size > OUTPUT_LIMIT:
                raise RenderError(f"the prompt is longer than {OUTPUT_LIMIT:,} characters")
            parts.append(part)
    except RenderError:
        raise
    except Exception as error:  # whatever a filter makes of a value that it was not made for
        raise RenderError(str(error) or type(error).__name__) from None
    return "".join(parts)


def shorten_feedback(text: str) -> str:
    """Feedback cut to what the analysis counts for it: 200 tokens."""
    return _cut(text, FEEDBACK_BYTES)


def shorten_failure(text: str) -> str:
    """The message of a failed tool, cut to what the analysis counts for it in an agent's prompt."""
    return _cut(text, FAILURE_BYTES)


def _cut(text: str, size: int) -> str:
    data = text.encode(errors="replace")
    return text if len(data) <= size else data[:size].decode(errors="ignore")
