"""Streams of answers: pieces of text are told as they come, and the whole is put together as the
API would have sent it in one.

A stream that ends before its answer does is a broken connection, whatever had come by then.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from pipelang.runtime.providers.http_faults import connection_fault, timed_out
from pipelang.runtime.providers.protocol import ModelFault
from pipelang.runtime.providers.records import field_of

Tell = Callable[[str], None]


def broken_off() -> ModelFault:
    """The fault of a stream without its end; what was used nobody knows."""
    return ModelFault("connection", "the stream of the answer broke off")


async def read(work: Awaitable[Any]) -> Any:
    """What comes of reading a stream, of which nothing is taken for granted. Raises ModelFault."""
    import httpx2

    try:
        return await work
    except httpx2.TimeoutException:
        fault = timed_out()
    except httpx2.TransportError as error:  # the SDKs translate only what comes before a stream
        fault = connection_fault(error)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        fault = ModelFault("server", "the stream of the API's answer cannot be read")
    raise fault


def _is_stream(response: Any) -> bool:
    return "text/event-stream" in response.headers.get("content-type", "")


def no_stream() -> ModelFault:
    """The fault of an answer that is no stream, where one was asked for."""
    return ModelFault("server", "the API's answer isn't a stream")


async def response_of(events: Any, tell: Tell) -> Any:
    """The response at the end of a stream of OpenAI's Responses API. Raises ModelFault."""
    if not _is_stream(events.response):
        raise no_stream()
    async for event in events:
        kind = field_of(event, "type")
        if kind == "response.output_text.delta":
            _tell(tell, field_of(event, "delta"))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            return field_of(event, "response")
    raise broken_off()


async def completion_of(chunks: AsyncIterable[Any], tell: Tell) -> dict[str, Any]:
    """A chat completion out of its chunks, as servers of all kinds write them. Raises
    ModelFault.
    """
    text, model, stop, refusal, usage, error = "", None, None, "", None, None
    seen = False
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
                _tell(tell, piece)
            refused = field_of(delta, "refusal")
            refusal += refused if isinstance(refused, str) else ""
            stop = field_of(choice, "finish_reason") or stop
    if not seen or (stop is None and error is None):
        raise broken_off()
    if error is not None:
        return {"error": error}
    message = {"role": "assistant", "content": text, "refusal": refusal or None}
    choice = {"index": 0, "message": message, "finish_reason": stop}
    return {"model": model, "choices": [choice], "usage": usage}


async def whole_or_stream(stream: Any, tell: Tell) -> Any:
    """The completion of a server that was asked for a stream, whether it streams or not."""
    response = stream.response
    if _is_stream(response):
        return await completion_of(stream, tell)
    try:
        return json.loads(await response.aread())
    finally:
        await stream.close()


async def candidate_of(chunks: AsyncIterable[Any], tell: Tell) -> Any:
    """A response of Gemini out of its chunks. Raises ModelFault."""
    parts: list[Any] = []
    usage = model = stop = feedback = None
    found = False
    async for chunk in chunks:
        usage = field_of(chunk, "usage_metadata") or usage
        model = field_of(chunk, "model_version") or model
        feedback = field_of(chunk, "prompt_feedback") or feedback
        for candidate in (field_of(chunk, "candidates") or [])[:1]:
            found = True
            stop = field_of(candidate, "finish_reason") or stop
            for part in field_of(field_of(candidate, "content"), "parts") or []:
                parts.append(part)
                if not field_of(part, "thought"):
                    _tell(tell, field_of(part, "text"))
    if found and stop is None:
        raise broken_off()
    content = SimpleNamespace(role="model", parts=parts)
    candidate = SimpleNamespace(finish_reason=stop, content=content)
    return SimpleNamespace(
        candidates=[candidate] if found else [],
        usage_metadata=usage,
        model_version=model,
        prompt_feedback=feedback,
    )


async def message_of(stream: Any, tell: Tell) -> Any:
    """The message at the end of a stream of Anthropic's SDK. Raises ModelFault."""
    if not _is_stream(stream.response):
        raise no_stream()
    message: Any = None
    ended = False
    async for event in stream:
        kind = field_of(event, "type")
        if kind == "text":
            _tell(tell, field_of(event, "text"))
        elif kind == "message_stop":
            ended, message = True, field_of(event, "message")
    if not ended:
        raise broken_off()
    return message


def _tell(tell: Tell, piece: Any) -> None:
    if isinstance(piece, str) and piece:
        tell(piece)
