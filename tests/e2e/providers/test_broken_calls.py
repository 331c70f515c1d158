"""Calls of tools whose arguments are no JSON object: none is made with others than were meant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelProvider
from pipelang.testing import ChatDialect, GoogleDialect, MessagesDialect, Reply, ResponsesDialect
from pipelang.testing.dialects import KEY, Dialect
from pipelang.testing.fault_server import FaultServer
from pipelang.testing.provider_suite import LOOKUP, request

MAKERS: dict[str, tuple[Callable[[str, str], ModelProvider], Dialect, str]] = {
    "anthropic": (AnthropicProvider, MessagesDialect(), "input"),
    "openai": (OpenAIProvider, ResponsesDialect(), "arguments"),
    "compatible": (OpenAICompatibleProvider, ChatDialect(), "arguments"),
    "google": (GoogleProvider, GoogleDialect(), "args"),
}
CALL = Reply.tools(("look_up", {"word": "a"}))


def outcome(maker: str, given: Any) -> ModelAnswer | ModelFault:
    """What becomes of a call whose arguments are `given` on the wire."""
    make, dialect, field = MAKERS[maker]

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {key: given if key == field else changed(one) for key, one in value.items()}

    body = changed(dialect.body(CALL, {"model": "test-model"}, 0))
    assert changed(body) == body != dialect.body(CALL, {"model": "test-model"}, 0)

    async def main(url: str) -> ModelAnswer | ModelFault:
        provider = make(KEY, url)
        try:
            return await provider.answer(request(tools=(LOOKUP,)))
        except ModelFault as fault:
            return fault
        finally:
            await provider.close()

    with FaultServer(dialect, Reply.raw(json.dumps(body).encode())) as server:
        return asyncio.run(main(server.url))


# Google's SDK turns down itself what is no object.
@pytest.mark.parametrize("maker", ["anthropic", "openai", "compatible"])
@pytest.mark.parametrize("given", ['{"word": "a', '["a"]', "look it up", ["a"], 7])
def test_a_broken_call_is_told_to_the_model_and_not_made(maker: str, given: Any) -> None:
    found = outcome(maker, given)
    assert isinstance(found, ModelFault), found
    assert (found.kind, found.usage is not None) == ("misfit", True)
    assert "the arguments of `look_up` are no JSON object" in found.message


@pytest.mark.parametrize("maker", ["anthropic", "openai", "compatible"])
def test_arguments_as_the_text_of_an_object_are_that_object(maker: str) -> None:
    found = outcome(maker, '{"word": "b"}')
    assert isinstance(found, ModelAnswer), found
    assert [dict(call.arguments) for call in found.calls] == [{"word": "b"}]


@pytest.mark.parametrize("given", ['{"word": "a', ["a"], 7])
def test_google_makes_no_broken_call_either(given: Any) -> None:
    assert isinstance(outcome("google", given), ModelFault)
