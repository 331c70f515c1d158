"""Streams of the Gemini API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from pipelang.runtime.providers.records import field_of
from pipelang.runtime.providers.streams.reading import Tell, broken_off, tell_piece

_ANSWERS: ContextVar[list[Any] | None] = ContextVar("answers", default=None)


async def note_answer(response: Any) -> None:
    """Note an answer that begins within `answers_closed`. A hook of httpx."""
    answers = _ANSWERS.get()
    if answers is not None:
        answers.append(response)


@asynccontextmanager
async def answers_closed() -> AsyncIterator[None]:
    """Close at the end the answers that began within.

    Where its stream is not read to the end, the SDK leaves the connection to the garbage collector;
    a hundred such answers, and the next one waits for a connection.
    """
    answers: list[Any] = []
    outer = _ANSWERS.set(answers)
    try:
        yield
    finally:
        _ANSWERS.reset(outer)
        for answer in answers:
            await answer.aclose()


async def candidate_of(chunks: AsyncGenerator[Any], tell: Tell) -> Any:
    """A response of Gemini out of its chunks. Raises ModelFault."""
    parts: list[Any] = []
    usage = model = stop = feedback = None
    found = False
    async with aclosing(chunks):  # its connection is let go of, also where it breaks off
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
                        tell_piece(tell, field_of(part, "text"))
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
