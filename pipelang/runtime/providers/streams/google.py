"""Streams of the Gemini API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

from pipelang.runtime.providers.records import field_of
from pipelang.runtime.providers.streams.reading import Tell, broken_off, tell_piece


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
