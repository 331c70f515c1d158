"""Rendering prompts over JSON values, in the sandbox of `sandbox`.

Untrusted values are only ever values; they are never read as templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from pipelang.semantics.kernels.prices import FAILURE_TOKENS, FEEDBACK_TOKENS

if TYPE_CHECKING:
    from jinja2 import Template

    from pipelang.runtime.engine.sandbox import Sandbox

FEEDBACK_BYTES = 3 * FEEDBACK_TOKENS
FAILURE_BYTES = 3 * FAILURE_TOKENS
"""Tokens by our own count, which is three bytes each."""


class RenderError(ValueError):
    """A template that could not be rendered with these values."""


@cache
def _environment() -> Sandbox:
    from pipelang.runtime.engine.sandbox import Sandbox

    return Sandbox()


@lru_cache(maxsize=4096)
def compiled(text: str) -> Template:
    """A template, compiled once."""
    template: Template = _environment().from_string(text)
    return template


def render(text: str, values: Mapping[str, Any]) -> str:
    """A template with JSON values put in. Raises `RenderError`."""
    from pipelang.runtime.engine.sandbox import OUTPUT_LIMIT, WORK

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
