"""Streams of chat completions, read off the wire and not by the SDK.

Servers write comments, named events and blank ones, with any line ends, a mark before the first and
no `[DONE]` behind the last; some answer in one piece all the same. The SDK takes a blank event for
JSON, and an error in a stream for the end of all attempts.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from pipelang.runtime.providers.chat.reading import text_of
from pipelang.runtime.providers.records import field_of
from pipelang.runtime.providers.streams.reading import Tell, broken_off, is_stream, tell_piece

_DONE = "[DONE]"
_MARK = b"\xef\xbb\xbf"


async def whole_or_stream(stream: Any, tell: Tell) -> Any:
    """The completion of a server that was asked for a stream, whether it streams or not."""
    response = stream.response
    try:
        if is_stream(response):
            async with aclosing(response.aiter_bytes()) as pieces:
                return await _completion_of(pieces, tell)
        return json.loads(await response.aread())
    finally:
        await stream.close()


async def _completion_of(pieces: AsyncIterator[bytes], tell: Tell) -> Any:
    """A chat completion out of its chunks. Raises ModelFault; ValueError for what is no JSON."""
    # Closed at once, also where the rest is not read: left to the garbage collector, generators in
    # generators are closed in any order, and say so on standard error.
    async with aclosing(_lines(pieces)) as lines:
        return await _read(lines, tell)


async def _read(lines: AsyncIterator[bytes], tell: Tell) -> Any:
    found = _Completion(tell)
    written: list[str] = []
    bare: list[bytes] = []
    async for line in lines:
        if line.startswith(b"data:"):
            written.append(line[5:].decode())
        elif not line and written:
            data, written = "\n".join(written).strip(), []
            if data == _DONE:
                return found.whole(ended=True)
            if data:
                found.take(json.loads(data))
        elif line.lstrip().startswith((b"{", b"[")):
            bare.append(line)
    data = "\n".join(written).strip()
    if data not in ("", _DONE):
        found.take(json.loads(data))
    if bare and not found.seen:
        return json.loads(b"\n".join(bare))
    return found.whole(ended=data == _DONE)


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The lines of a stream of events, by any of the three line ends."""
    parts: list[bytes] = []
    first = True
    async for piece in pieces:
        parts.append(piece)
        if b"\n" not in piece and b"\r" not in piece:
            continue  # a long line is put together once
        data = b"".join(parts)
        if first:
            data, first = data.removeprefix(_MARK), False
        # Behind a carriage return at the end its line feed may still come.
        kept = b"\r" if data.endswith(b"\r") else b""
        *whole, left = _one_end(data[: len(data) - len(kept)]).split(b"\n")
        parts = [left + kept]
        for line in whole:
            yield line
    rest = b"".join(parts)
    for line in _one_end(rest.removeprefix(_MARK) if first else rest).split(b"\n"):
        yield line


def _one_end(data: bytes) -> bytes:
    """Lines that all end in a line feed."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class _Completion:
    """A completion as far as its chunks have come."""

    def __init__(self, tell: Tell) -> None:
        self.seen = False
        self._tell = tell
        self._text = self._refusal = ""
        self._model: Any = None
        self._stop: Any = None
        self._usage: Any = None
        self._error: Any = None
        self._tokens: list[Any] = []

    def take(self, chunk: Any) -> None:
        """Take a chunk in."""
        if not isinstance(chunk, dict):
            return
        self.seen = True
        self._model = chunk.get("model") or self._model
        self._usage = chunk.get("usage") or self._usage
        self._error = chunk.get("error") or self._error
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not field_of(choice, "index"):
                self._take_choice(choice)

    def _take_choice(self, choice: Any) -> None:
        delta = field_of(choice, "delta") or field_of(choice, "message")
        piece = text_of(field_of(delta, "content"))
        self._text += piece
        tell_piece(self._tell, piece)
        refused = field_of(delta, "refusal")
        self._refusal += refused if isinstance(refused, str) else ""
        told = field_of(field_of(choice, "logprobs"), "content")
        self._tokens += told if isinstance(told, list) else []
        self._stop = field_of(choice, "finish_reason") or self._stop
        self._error = field_of(choice, "error") or self._error

    def whole(self, *, ended: bool) -> Any:
        """The completion. Raises ModelFault where nothing says that it has ended."""
        if not self.seen or not (ended or self._stop or self._error):
            raise broken_off()
        if self._error and not self._text:
            return {"error": self._error}
        message = {"content": self._text, "refusal": self._refusal or None}
        choice = {"index": 0, "message": message, "finish_reason": self._stop}
        choice["logprobs"] = {"content": self._tokens}
        return {
            "model": self._model,
            "choices": [choice],
            "usage": self._usage,
            "error": self._error,
        }
