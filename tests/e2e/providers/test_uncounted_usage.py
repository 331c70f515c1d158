"""Servers that count nothing of an answer: it is kept, and what it took is estimated, not free."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelang.runtime.providers.answers import ESTIMATED
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelProvider, Usage
from pipelang.testing import (
    ChatDialect,
    GoogleDialect,
    MessagesDialect,
    Reply,
    ResponsesDialect,
    streams,
)
from pipelang.testing.dialects import KEY, Dialect
from pipelang.testing.fault_server import FaultServer
from pipelang.testing.provider_suite import GOOD, request

MAKERS: dict[str, tuple[Callable[[str, str], ModelProvider], Dialect]] = {
    "anthropic": (AnthropicProvider, MessagesDialect()),
    "openai": (OpenAIProvider, ResponsesDialect()),
    "google": (GoogleProvider, GoogleDialect()),
    "compatible": (OpenAICompatibleProvider, ChatDialect()),
}
NOTHING = Usage(0, 0)


def outcome(maker: str, reply: Reply, **changes: Any) -> ModelAnswer | ModelFault:
    make, dialect = MAKERS[maker]

    async def main(url: str) -> ModelAnswer | ModelFault:
        provider = make(KEY, url)
        try:
            return await provider.answer(request(**changes))
        except ModelFault as fault:
            return fault
        finally:
            await provider.close()

    with FaultServer(dialect, reply) as server:
        return asyncio.run(main(server.url))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("streaming", [False, True])
def test_an_answer_with_a_usage_of_zeros_is_kept_and_estimated(maker: str, streaming: bool) -> None:
    heard = {"partial": [].append} if streaming else {}
    found = outcome(maker, Reply.answer(GOOD, NOTHING), **heard)
    assert isinstance(found, ModelAnswer), found
    assert found.value == GOOD
    assert found.usage.input >= len("You sort tickets.My bill is wrong.")
    assert found.usage.output >= len(json.dumps(GOOD)) // 2
    assert (found.estimated, found.note) == (True, ESTIMATED)


@pytest.mark.parametrize("maker", MAKERS)
def test_an_answer_without_counted_output_counts_what_is_there(maker: str) -> None:
    found = outcome(maker, Reply.answer(GOOD, Usage(12, 0)))
    assert isinstance(found, ModelAnswer), found
    assert found.usage.input == 12
    assert found.usage.output > 0
    assert found.estimated


@pytest.mark.parametrize("maker", MAKERS)
def test_a_counted_answer_is_not_estimated(maker: str) -> None:
    found = outcome(maker, Reply.answer(GOOD, Usage(0, 3, cache_read=40)))
    assert isinstance(found, ModelAnswer), found
    assert (found.estimated, found.note, found.usage.output) == (False, None, 3)


@pytest.mark.parametrize("maker", ["anthropic", "openai", "google"])
def test_what_an_unfit_answer_used_nobody_knows(maker: str) -> None:
    found = outcome(maker, Reply.answer({"topic": "none of them"}, NOTHING))
    assert isinstance(found, ModelFault), found
    assert (found.kind, found.usage) == ("misfit", None), "so that what was reserved counts"


def test_a_stream_without_its_last_usage_has_broken_off() -> None:
    body = MessagesDialect().body(Reply.answer(GOOD), {"model": "test-model"}, 0)
    kept = [one for one in streams.of_message(body) if one[0] != "message_delta"]
    raw = b"".join(map(streams.written, kept))
    found = outcome("anthropic", Reply.raw(raw, "text/event-stream"), partial=[].append)
    assert isinstance(found, ModelFault), found
    assert (found.kind, found.usage) == ("connection", None)


@pytest.mark.parametrize("status", ["in_progress", "cancelled", "queued"])
def test_a_response_that_has_not_ended_is_no_answer(status: str) -> None:
    body = ResponsesDialect().body(Reply.answer(GOOD), {"model": "test-model"}, 0)
    found = outcome("openai", Reply.raw(json.dumps(body | {"status": status}).encode()))
    assert isinstance(found, ModelFault), found
    assert (found.kind, status in found.message) == ("misfit", True)
