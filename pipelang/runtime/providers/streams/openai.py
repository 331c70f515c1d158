"""Streams of OpenAI's Responses API and of chat completions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable
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
    raise broken_off()


async def completion_of(chunks: AsyncIterable[Any], tell: Tell) -> dict[str, Any]:
    """A chat completion out of its chunks, as servers of all kinds write them. Raises
    ModelFault.
    """
    text, model, stop, refusal, usage, error = "", None, None, "", None, None
    seen, tokens = False, []
    async for chunk in chunks:
        seen = True
        model = field_of(chunk, "model") or model
        usage = field_of(chunk, "usage") or usage
        error = field_of(chunk, "error") or error
        for choice in field_of(chunk, "choices") or []:
            delta = field_of(choice, "delta")
            piece = field_of(delta, "content")
            if isinstance(piece, str):
                text += piece
                tell_piece(tell, piece)
            told = field_of(field_of(choice, "logprobs"), "content")
            tokens += told if isinstance(told, list) else []
            refused = field_of(delta, "refusal")
            refusal += refused if isinstance(refused, str) else ""
            stop = field_of(choice, "finish_reason") or stop
    if not seen or (stop is None and error is None):
        raise broken_off()
    if error is not None:
        return {"error": error}
    message = {"role": "assistant", "content": text, "refusal": refusal or None}
    choice = {"index": 0, "message": message, "finish_reason": stop}
    choice["logprobs"] = {"content": tokens}
    return {"model": model, "choices": [choice], "usage": usage}


async def whole_or_stream(stream: Any, tell: Tell) -> Any:
    """The completion of a server that was asked for a stream, whether it streams or not."""
    response = stream.response
    if is_stream(response):
        return await completion_of(stream, tell)
    try:
        return json.loads(await response.aread())
    finally:
        await stream.close()
