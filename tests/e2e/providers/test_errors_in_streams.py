"""Errors that a server tells inside a stream, behind a status of success.

Overload comes that way most often: the answer has begun, and the next attempt may pass. It is the
same fault as of an answer with the status of an error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAIProvider
from pipelang.runtime.providers.protocol import ModelFault, ModelProvider
from pipelang.testing import GoogleDialect, MessagesDialect, Reply, ResponsesDialect, streams
from pipelang.testing.dialects import KEY, Dialect
from pipelang.testing.fault_server import FaultServer
from pipelang.testing.provider_suite import GOOD, request

MAKERS: dict[str, tuple[Callable[[str, str], ModelProvider], Dialect, Any]] = {
    "anthropic": (AnthropicProvider, MessagesDialect(), streams.of_message),
    "openai": (OpenAIProvider, ResponsesDialect(), streams.of_response),
    "google": (GoogleProvider, GoogleDialect(), streams.of_candidates),
}


def fault(maker: str, after: int, name: str, data: str) -> ModelFault:
    """The fault of a stream that has an event of an error behind some events of an answer."""
    make, dialect, events = MAKERS[maker]
    begun = [*events(dialect.body(Reply.answer(GOOD), {"model": "test-model"}, 1))][:after]
    sent = b"".join(map(streams.written, begun))
    sent += (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()

    async def main(url: str) -> ModelFault:
        provider = make(KEY, url)
        with pytest.raises(ModelFault) as caught:
            await provider.answer(request(partial=[].append))
        await provider.close()
        return caught.value

    with FaultServer(dialect, Reply.raw(sent, "text/event-stream")) as server:
        found = asyncio.run(main(server.url))
    assert len(server.requests) == 1
    assert found.usage is None  # nobody says what was used: what was reserved counts
    return found


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limited"),
        ("api_error", "server"),
        ("timeout_error", "timeout"),
        ("invalid_request_error", "rejected"),
    ],
)
def test_an_error_in_a_stream_of_anthropic(name: str, kind: str, after: int) -> None:
    told = json.dumps({"type": "error", "error": {"type": name, "message": f"said {KEY}"}})
    found = fault("anthropic", after, "error", told)
    assert found.kind == kind
    assert f"broke the answer off with `{name}`: said " in found.message
    assert KEY not in found.message


@pytest.mark.parametrize("data", ["Overloaded", "{", "null", "[]", '{"error": 3}'])
def test_an_error_that_nobody_can_read_may_pass(data: str) -> None:
    assert fault("anthropic", 3, "error", data).kind == "server"


OPENAI = [
    ("server_error", None, "server"),
    ("rate_limit_exceeded", "tokens", "rate_limited"),
    ("server_is_overloaded", "service_unavailable_error", "overloaded"),
    ("insufficient_quota", "insufficient_quota", "rejected"),
    ("invalid_prompt", "invalid_request_error", "rejected"),
]


@pytest.mark.parametrize(
    ("code", "type", "kind", "nested"),
    [
        *((*one, nested) for one in OPENAI for nested in (False, True)),
        (None, "server_error", "server", True),  # else `type` is that of the event
    ],
)
def test_an_error_in_a_stream_of_openai(
    code: str | None, type: str | None, kind: str, nested: bool
) -> None:
    """OpenAI writes it with its parts beside the event's type, or one level down."""
    error = {"code": code, "message": "said", "param": None}
    event = {"type": "error", "error": error | {"type": type}} if nested else error
    found = fault("openai", 3, "error", json.dumps({"type": "error", **event}))
    assert found.kind == kind
    assert f"`{code or type}`: said" in found.message


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [("UNAVAILABLE", 503, "overloaded"), ("RESOURCE_EXHAUSTED", 429, "rate_limited")],
)
def test_an_error_in_a_stream_of_google(status: str, code: int, kind: str) -> None:
    details = [{"retryDelay": "7s"}]
    error = {"code": code, "status": status, "message": "said", "details": details}
    found = fault("google", 2, "", json.dumps({"error": error}))
    assert (found.kind, found.retry_after) == (kind, 7.0)


@pytest.mark.parametrize("code", ["project_spend_limit_exceeded", None])
def test_a_spent_quota_is_known_by_its_type(code: str | None) -> None:
    """Waiting does not mend it, whoever's limit the code says that it is."""
    error = {"message": "no money", "type": "insufficient_quota", "code": code}
    refused = Reply.raw(json.dumps({"error": error}).encode(), code=429)

    async def main(url: str) -> ModelFault:
        provider = OpenAIProvider(KEY, url)
        with pytest.raises(ModelFault) as caught:
            await provider.answer(request())
        await provider.close()
        return caught.value

    with FaultServer(ResponsesDialect(), refused) as server:
        assert asyncio.run(main(server.url)).kind == "rejected"
