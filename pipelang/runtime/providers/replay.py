"""Recorded answers in place of a model: for tests, golden sets and examples that run offline.

Which record answers a call? Those for its prompt, and its tier where the record names one, whose
given arguments all equal the call's. Of several such groups the one that says most about the
call wins (most leaves given, a tier counting as one), then the first in the file. So a file can
hold a general answer and exceptions to it. Within a group the records are played in order, by
the request's `call`, and the last one repeats: "overloaded, then an answer" is two lines.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelang.runtime.providers.fitting import DoesNotFit, fit
from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelProvider,
    ModelRequest,
    Usage,
)
from pipelang.runtime.providers.recording import (
    VERSION,
    Header,
    RecordedAnswer,
    RecordingError,
    read_recording,
)
from pipelang.runtime.providers.recording_index import RecordingIndex
from pipelang.runtime.providers.records import is_model
from pipelang.semantics.kernels.media import BOTH

__all__ = ["Header", "RecordedAnswer", "RecordingError", "RecordingProvider", "ReplayProvider"]


class ReplayProvider:
    """Plays a recording back.

    `fallback` answers calls that aren't recorded; without one they fail as `no_recording`.
    Raises RecordingError where the file can't be understood, and OSError where it can't be read.
    """

    name = "replay"
    takes = BOTH

    def __init__(self, path: str | os.PathLike[str], fallback: ModelProvider | None = None) -> None:
        self.path = Path(path)
        self._fallback = fallback
        self._header, self._records = read_recording(self.path)
        self._index = RecordingIndex(self._records)

    @property
    def header(self) -> Header:
        """The header of the file."""
        return self._header

    @property
    def records(self) -> tuple[RecordedAnswer, ...]:
        """All records, in the file's order."""
        return self._records

    @cached_property
    def wrong_share(self) -> float:
        """Share of wrong ones among the answers that are marked right or wrong, 0 to 1.

        0 where none is marked. Wrong answers are oversampled in examples, and a run says so.
        """
        marks = [record.correct for record in self._records if record.fault is None]
        judged = [mark for mark in marks if mark is not None]
        return judged.count(False) / len(judged) if judged else 0.0

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """The recorded answer, or the recorded fault raised."""
        record = self._index.find(request)
        if record is not None:
            return self._play(record, request)
        if self._fallback is not None:
            return await self._fallback.answer(request)
        raise ModelFault("no_recording", self._missing(request))

    async def count_tokens(self, request: ModelRequest) -> int | None:
        """None for a recorded call: nothing counts here; else the fallback's count."""
        if self._fallback is None or self._index.find(request) is not None:
            return None
        return await self._fallback.count_tokens(request)

    async def close(self) -> None:
        """Close the fallback, if there is one."""
        if self._fallback is not None:
            await self._fallback.close()

    def _play(self, record: RecordedAnswer, request: ModelRequest) -> ModelAnswer:
        place = f"{self.path.name}:{record.line}"
        if record.fault is not None:
            raise ModelFault(
                record.fault,
                record.message or f"recorded in {place}",
                record.usage,
                record.retry_after,
            )
        if record.calls and not request.tools:
            message = f"{place} asks for tools, and there are none here"
            raise ModelFault("misfit", message, record.usage or _estimate(request, []))
        if record.calls:
            asked = [[call.name, dict(call.arguments)] for call in record.calls]
            used = record.usage or _estimate(request, asked)
            model, note = record.model or request.model, self._note(record, request, place)
            return ModelAnswer(None, used, model, note, calls=record.calls)
        usage = record.usage or _estimate(request, record.answer)
        # A recorded answer may have the wrong type, on purpose or because the type has changed
        # since. Both are what a model could do, so the run sees what it would see then.
        value = record.answer
        problem: str | None = None
        if request.answer is None:
            if not isinstance(value, str):
                problem = f"{place} holds an object where a text is wanted"
        else:
            try:
                value = fit(request.answer, json.dumps(value))
            except DoesNotFit as error:
                problem = str(error)
        if problem is not None:
            raise ModelFault("misfit", problem, usage)
        note = self._note(record, request, place)
        return ModelAnswer(
            value,
            usage,
            record.model or request.model,
            note,
            probabilities=record.probabilities,
        )

    def _note(self, record: RecordedAnswer, request: ModelRequest, place: str) -> str:
        words = [f"replayed from {place}"]
        if self._header.source is not None:
            words.append(self._header.source)
        if not is_model(record.model, request.model):
            words.append(f"by {record.model}, where {request.model} is declared now")
        if record.correct is False:
            words.append("marked wrong")
        if record.note is not None:
            words.append(record.note)
        return ", ".join(words)

    def _missing(self, request: ModelRequest) -> str:
        name = f"prompt `{request.prompt}`"
        calls = self._index.calls(request.prompt)
        if not calls:
            return f"`{self.path}` records no answer of {name}; add a line for it"
        found = f"`{self.path}` has {calls} recorded calls of {name}"
        tiers = self._index.tiers(request)
        if tiers:
            return f"{found}, and this one only by {', '.join(tiers)}, not `{request.tier}`"
        return (
            f"{found}, none with these arguments; add a line with `args` that match, or one "
            "without `args` for all the others"
        )


class RecordingProvider:
    """Passes requests on to `inner` and appends what came of them to a file, for replay.

    Each call is one line, written with one system call to a file that is only ever appended to,
    so that threads and processes may share it. It holds the arguments and answers in full, and
    is readable for its owner only; prompts' texts, headers and keys never go there.
    """

    def __init__(self, inner: ModelProvider, path: str | os.PathLike[str]) -> None:
        self.name = inner.name
        self.takes = getattr(inner, "takes", ())
        self.path = Path(path)
        self._inner = inner
        self._lock = threading.Lock()

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """The inner provider's answer or fault, recorded."""
        try:
            answer = await self._inner.answer(request)
        except ModelFault as fault:
            self._record(request, fault)
            raise
        self._record(request, answer)
        return answer

    def _record(self, request: ModelRequest, answer: ModelAnswer | ModelFault) -> None:
        fields: dict[str, Any] = {
            "prompt": request.prompt,
            "args": dict(request.arguments),
            "tier": request.tier,
        }
        if isinstance(answer, ModelFault):
            # Not the message: it is for people, and may quote what an error page said.
            fields |= {"fault": answer.kind, "usage": _fields(answer.usage)}
            self._append(fields | {"retry_after": answer.retry_after})
            return
        fields |= {"model": answer.model, "usage": _fields(answer.usage)}
        if answer.calls:
            # Not `said`: it is the provider's own form, and can be written anew from the calls.
            fields["calls"] = [
                {"id": call.id, "name": call.name, "args": dict(call.arguments)}
                for call in answer.calls
            ]
        else:
            fields["answer"] = answer.value
            fields |= {"probabilities": True} if answer.probabilities else {}
        self._append(fields)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        """The inner provider's count."""
        return await self._inner.count_tokens(request)

    async def warm(self) -> None:
        warm = getattr(self._inner, "warm", None)
        if warm is not None:
            await warm()

    async def close(self) -> None:
        """Close the inner provider."""
        await self._inner.close()

    def _append(self, fields: dict[str, Any]) -> None:
        line = _line({name: value for name, value in fields.items() if value is not None})
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        with self._lock:
            try:
                # Only who makes the file writes the header.
                file = os.open(self.path, flags | os.O_EXCL, 0o600)
                line = _line({"recording": VERSION, "source": "recorded"}) + line
            except FileExistsError:
                file = os.open(self.path, flags, 0o600)
            try:
                if os.write(file, line) != len(line):
                    raise OSError(f"`{self.path}`: the disk took only a part of the line")
            finally:
                os.close(file)


class BatchRecordingProvider(RecordingProvider):
    """Records a provider that takes batches as well."""

    async def batch(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelFault]:
        """The answers and faults of the inner provider's batch, recorded."""
        takes: Any = self._inner
        answers: list[ModelAnswer | ModelFault] = await takes.batch(requests)
        for request, answer in zip(requests, answers, strict=True):
            self._record(request, answer)
        return answers


def recorded(inner: ModelProvider, path: str | os.PathLike[str]) -> RecordingProvider:
    """A provider that records what `inner` answers, with batches if it takes them."""
    kind = BatchRecordingProvider if hasattr(inner, "batch") else RecordingProvider
    return kind(inner, path)


def _line(fields: dict[str, Any]) -> bytes:
    # ASCII, so that a lone surrogate from untrusted text can be written and read again.
    return json.dumps(fields, separators=(", ", ": "), default=_number).encode("ascii") + b"\n"


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"a `{type(value).__name__}` isn't a JSON value")


def _fields(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    fields = {"input": usage.input, "output": usage.output}
    if usage.cache_write:
        fields["cache_write"] = usage.cache_write
    if usage.cache_read:
        fields["cache_read"] = usage.cache_read
    return fields


def _estimate(request: ModelRequest, answer: object) -> Usage:
    """Tokens of a record without `usage`: a quarter of the bytes, as the analysis' means are."""
    prompt = (request.system or "") + request.user
    said = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    spent, made = (len(text.encode("utf-8", errors="replace")) for text in (prompt, said))
    return Usage(-(-spent // 4), -(-made // 4))
