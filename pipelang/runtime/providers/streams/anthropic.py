"""Streams of Anthropic's Messages API."""

from __future__ import annotations

from typing import Any

from pipelang.runtime.providers.records import field_of
from pipelang.runtime.providers.streams.reading import (
    Tell,
    broken_off,
    is_stream,
    no_stream,
    tell_piece,
)


async def message_of(stream: Any, tell: Tell) -> Any:
    """The message at the end of a stream of Anthropic's SDK. Raises ModelFault."""
    if not is_stream(stream.response):
        raise no_stream()
    message: Any = None
    ended = False
    async for event in stream:
        kind = field_of(event, "type")
        if kind == "text":
            tell_piece(tell, field_of(event, "text"))
        elif kind == "message_stop":
            ended, message = True, field_of(event, "message")
    # Without the event that has them, nobody knows why it stopped, nor what it used.
    if not ended or field_of(message, "stop_reason") is None:
        raise broken_off()
    return message
