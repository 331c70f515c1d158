"""Rendering prompts over JSON values, in the sandbox of `sandbox`.

Untrusted values are only ever values; they are never read as templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from pipelang.semantics.kernels.prices import FAILURE_TOKENS, FEEDBACK_TOKENS
from pipelang.semantics.types import ListType, MapType, OptionalType, RecordType, Type

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


def for_template(type: Type, json: Any) -> Any:
    """The JSON of a value as a template reads it."""
    return _read_by_name(type, json) if _has_outer_names(type) else json


def _has_outer_names(type: Type) -> bool:
    match type:
        case RecordType():
            return any(one.outer is not None or _has_outer_names(one.type) for one in type.fields)
        case ListType():
            return _has_outer_names(type.element)
        case MapType():
            return _has_outer_names(type.value)
        case OptionalType():
            return _has_outer_names(type.inner)
        case _:
            return False


def _read_by_name(type: Type, json: Any) -> Any:
    match type:
        case RecordType() if isinstance(json, dict):
            types = {field.key: field.type for field in type.fields}
            parts = {key: _read_by_name(types[key], part) for key, part in json.items()}
            return ShownRecord(parts, {field.name: field.key for field in type.fields})
        case ListType() if isinstance(json, list):
            return [_read_by_name(type.element, part) for part in json]
        case MapType() if isinstance(json, dict):
            return {key: _read_by_name(type.value, part) for key, part in json.items()}
        case OptionalType():
            return _read_by_name(type.inner, json)
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
