"""Streams of OpenAI's Responses API."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipelang.runtime.providers.records import field_of
from pipelang.runtime.providers.streams.reading import (
    Tell,
    broken_off,
    is_stream,
    no_stream,
    tell_piece,
)


async def response_of(events: Any, tell: Tell) -> Any:
    """The response at the end of a stream of OpenAI's Responses API. Raises ModelFault."""
    if not is_stream(events.response):
        raise no_stream()
    async for event in events:
        kind = field_of(event, "type")
        if kind == "response.output_text.delta":
            tell_piece(tell, field_of(event, "delta"))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            return field_of(event, "response")
        elif kind == "error":  # the SDK raises only those that hold their error one level down
            return SimpleNamespace(status="failed", error=event, usage=None)
    raise broken_off()
