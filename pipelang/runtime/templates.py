"""Rendering prompts: Jinja2's immutable sandbox over JSON values, with limits of our own.

What a dot reaches is a key of an object, or something that Jinja knows of a loop; no attribute or
method of any value is ever reached, so a field may be called `items`. Nothing can be called. The
sandbox does not keep templates from work: repeated texts and huge powers are refused here, there is
no `range`, and the output has a cap. Untrusted values are only ever values; they are never read as
templates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from pipelang.semantics.elaborate.templates import FILTERS, TESTS

if TYPE_CHECKING:
    from jinja2 import Template

OUTPUT_LIMIT = 4_000_000
"""Characters that a rendered prompt may have at most."""

FEEDBACK_BYTES = 600
"""200 tokens by our own count."""

_WIDEST = 1000


class RenderError(ValueError):
    """A template that could not be rendered with these values."""


@cache
def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.runtime import LoopContext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
            if not numbers or operator == "**" or max(abs(left), abs(right)) > 1e9:
                raise SecurityError(f"`{operator}` is not for this in a prompt")
            return super().call_binop(context, operator, left, right)

        def is_safe_callable(self, obj: Any) -> bool:
            return False

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, LoopContext):
                return super().getattr(obj, attribute)
            return self.getitem(obj, attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            try:
                return obj[argument]
            except (LookupError, TypeError, AttributeError):
                return self.undefined(obj=obj, name=argument)

    environment = Environment(autoescape=False, undefined=StrictUndefined)
    environment.globals.clear()
    for name in list(environment.filters):
        if name not in FILTERS:
            del environment.filters[name]
    for name in list(environment.tests):
        if name not in TESTS:
            del environment.tests[name]
    indent, round_ = environment.filters["indent"], environment.filters["round"]

    def narrow(text: str, width: Any = 4, first: bool = False, blank: bool = False) -> Any:
        if (len(width) if isinstance(width, str) else width) > _WIDEST:
            raise SecurityError("this is too much for `indent`")
        return indent(text, width, first, blank)

    def short(value: float, precision: int = 0, method: Any = "common") -> Any:
        return round_(value, max(-300, min(precision, 300)), method)

    environment.filters |= {"tojson": _tojson, "indent": narrow, "round": short}
    return environment


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON as a model reads it best: in its own order, and no sign escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


@lru_cache(maxsize=4096)
def compiled(text: str) -> Template:
    """A template, compiled once."""
    template: Template = _environment().from_string(text)
    return template


def render(text: str, values: Mapping[str, Any]) -> str:
    """A template with JSON values put in. Raises `RenderError`."""
    parts: list[str] = []
    size = 0
    try:
        for part in compiled(text).generate(dict(values)):
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
    data = text.encode()
    return text if len(data) <= FEEDBACK_BYTES else data[:FEEDBACK_BYTES].decode(errors="ignore")
