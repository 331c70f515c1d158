"""Rendering prompts: Jinja2's immutable sandbox over JSON values, with limits of our own.

The sandbox keeps templates from attributes and methods that write, but not from work: repeated
texts and huge powers are refused here, there is no `range`, and the output has a cap. Untrusted
values are only ever values; they are never read as templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelang.semantics.elaborate.templates import FILTERS, TESTS

if TYPE_CHECKING:
    from jinja2 import Template

OUTPUT_LIMIT = 4_000_000
"""Characters that a rendered prompt may have at most."""

FEEDBACK_BYTES = 600
"""200 tokens by our own count."""


class RenderError(ValueError):
    """A template that could not be rendered with these values."""


@cache
def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
            if not numbers or operator == "**" or max(abs(left), abs(right)) > 1e9:
                raise SecurityError(f"`{operator}` is not for this in a prompt")
            return super().call_binop(context, operator, left, right)

        def is_safe_callable(self, obj: Any) -> bool:
            return False

    environment = Environment(autoescape=False, undefined=StrictUndefined)
    environment.globals.clear()
    for name in list(environment.filters):
        if name not in FILTERS:
            del environment.filters[name]
    for name in list(environment.tests):
        if name not in TESTS:
            del environment.tests[name]
    return environment


@cache
def compiled(text: str) -> Template:
    """A template, compiled once."""
    template: Template = _environment().from_string(text)
    return template


def render(text: str, values: Mapping[str, Any]) -> str:
    """A template with JSON values put in. Raises `RenderError`."""
    from jinja2 import TemplateError

    parts: list[str] = []
    size = 0
    try:
        for part in compiled(text).generate(**values):
            size += len(part)
            if size > OUTPUT_LIMIT:
                raise RenderError(f"the prompt is longer than {OUTPUT_LIMIT:,} characters")
            parts.append(part)
    except TemplateError as error:
        raise RenderError(error.message or type(error).__name__) from None
    except (TypeError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        if isinstance(error, RenderError):
            raise
        raise RenderError(str(error) or type(error).__name__) from None
    return "".join(parts)


def shorten_feedback(text: str) -> str:
    """Feedback cut to what the analysis counts for it: 200 tokens."""
    data = text.encode()
    return text if len(data) <= FEEDBACK_BYTES else data[:FEEDBACK_BYTES].decode(errors="ignore")
