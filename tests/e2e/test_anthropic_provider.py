"""The `anthropic` provider: the real SDK against a local server. No network, no real key."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import subprocess
import sys
import threading
import time
import traceback
import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, JsonValue

from pipelang.runtime.engine.world import ToolCall, ToolResult, Turn
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelProvider,
    ModelRequest,
    ToolSchema,
    Usage,
)
from tests.e2e.messages_server import KEY, MessagesServer, Reply


class Topic(Enum):
    billing = "billing"
    access = "access"


class Kind(BaseModel):
    topic: Topic
    sure: float
    amount: Decimal | None = None
    tags: list[str] = []


class FreeKeys(BaseModel):
    """`{text: number}`: the API can only enforce objects whose keys are known."""

    scores: list[dict[str, float]]


class AnyJson(BaseModel):
    raw: JsonValue


GOOD = {"topic": "billing", "sure": 0.9, "amount": "12.50", "tags": ["a"]}
MODEL = "claude-haiku-5-5"
LOOKUP = ToolSchema("look_up", "Looks a word up.", {"type": "object", "properties": {}})


def ask(**changes: Any) -> ModelRequest:
    fields: dict[str, Any] = {
        "prompt": "classify",
        "step": "kind",
        "tier": "haiku",
        "model": MODEL,
        "system": "You sort tickets.",
        "user": "My bill is wrong.",
        "answer": Kind,
        "arguments": {"ticket": {"id": "T01"}},
        "max_output_tokens": 200,
        "effort": None,
        "timeout": 5.0,
        "misfit": None,
        "call": 0,
    }
    return ModelRequest(**(fields | changes))


def answer(server: MessagesServer, request: ModelRequest | None = None) -> ModelAnswer:
    async def main() -> ModelAnswer:
        return await AnthropicProvider(KEY, server.url).answer(request or ask())

    return asyncio.run(main())


def fault(*script: Reply, request: ModelRequest | None = None) -> ModelFault:
    with MessagesServer(*script) as server, pytest.raises(ModelFault) as caught:
        answer(server, request)
    check_no_secret(caught.value)
    # Whatever happens, the provider doesn't try again: that is the step's own business.
    assert len(server.requests) <= 1
    return caught.value


def check_no_secret(error: ModelFault) -> None:
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert KEY not in told
    assert KEY.encode() not in pickle.dumps(error)
    # The SDK's exceptions hold the request with its headers.
    assert error.__cause__ is None
    assert error.__context__ is None


# --- answers --------------------------------------------------------------------------------


def test_typed_answer_with_usage() -> None:
    usage = {
        "input_tokens": 312,
        "output_tokens": 41,
        "cache_creation_input_tokens": 1000,
        "cache_read_input_tokens": 2000,
    }
    with MessagesServer(Reply.answer(GOOD, usage=usage)) as server:
        given = answer(server)
    assert given.value == GOOD
    assert given.usage == Usage(312, 41, cache_write=1000, cache_read=2000)
    assert given.model == MODEL
    sent = server.last.body
    assert sent["max_tokens"] == 200
    assert sent["messages"] == [{"role": "user", "content": "My bill is wrong."}]
    assert sent["system"] == [
        {"type": "text", "text": "You sort tickets.", "cache_control": {"type": "ephemeral"}}
    ]
    assert sent["output_config"]["format"]["type"] == "json_schema"
    assert sent.keys() == {"max_tokens", "messages", "model", "output_config", "system"}


def test_plain_text_answer() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    blocks = [thought, {"type": "text", "text": "Dear "}, {"type": "text", "text": "Ann\n"}]
    with MessagesServer(Reply.answer("", extra={"content": blocks})) as server:
        given = answer(server, ask(answer=None, system=None, max_output_tokens=None))
    assert given.value == "Dear Ann\n"
    assert server.last.body == {
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "My bill is wrong."}],
        "model": MODEL,
    }


def test_model_is_the_one_that_answered() -> None:
    with MessagesServer(Reply.answer(GOOD, extra={"model": "claude-haiku-5-5-x"})) as server:
        assert answer(server).model == "claude-haiku-5-5-x"


def test_unscripted_answer_fits_the_schema() -> None:
    with MessagesServer() as server:
        assert answer(server).value["topic"] == "billing"


def test_effort_and_large_output_limit() -> None:
    with MessagesServer(Reply.answer(GOOD), Reply.answer("hi")) as server:
        # Without a timeout of its own the SDK refuses limits like this one.
        answer(server, ask(effort="low", max_output_tokens=100_000, timeout=None))
        assert server.last.body["output_config"].keys() == {"effort", "format"}
        answer(server, ask(effort="high", answer=None))
        assert server.last.body["output_config"] == {"effort": "high"}


def test_a_budget_of_thinking_is_room_beside_the_answer() -> None:
    with MessagesServer(Reply.answer(GOOD), Reply.answer(GOOD), Reply.answer(GOOD)) as server:
        answer(server, ask(model="claude-haiku-4-5", thinking=2000, max_output_tokens=2200))
        assert server.last.body["thinking"] == {"type": "enabled", "budget_tokens": 2000}
        assert server.last.body["max_tokens"] == 2200
        answer(server, ask(model="claude-haiku-4-5", thinking=2000, max_output_tokens=None))
        assert server.last.body["max_tokens"] == 6096
        answer(server, ask(model="claude-opus-5-5", thinking=2000, max_output_tokens=2200))
        assert server.last.body["thinking"] == {"type": "adaptive"}


def test_a_turn_without_its_thoughts_is_gone_on_with_without_a_budget() -> None:
    call = ToolCall("t1", "look_up", {"word": "a"})
    results = (ToolResult(call, "a letter", failed=False),)
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    used = {"type": "tool_use", "id": "t1", "name": "look_up", "input": {"word": "a"}}
    for said, thinks in ((None, False), ([used], False), ([thought, used], True)):
        turn = Turn(calls=(call,), results=results, said=said)
        with MessagesServer(Reply.answer("Done.")) as server:
            asked = ask(answer=None, tools=(LOOKUP,), turns=(turn,), thinking=2000)
            answer(server, asked)
            assert ("thinking" in server.last.body) is thinks


def test_the_model_is_told_what_did_not_fit() -> None:
    with MessagesServer(Reply.answer(GOOD), Reply.answer(GOOD)) as server:
        answer(server, ask(misfit="`sure`: Field required"))
        text = server.last.body["messages"][0]["content"]
        assert text.startswith("My bill is wrong.\n\n")
        assert "`sure`: Field required" in text
        answer(server, ask(misfit="ä" * 5000))
        text = server.last.body["messages"][0]["content"]
    # The analysis counts 200 tokens of 3 bytes for it.
    assert len(text.encode()) - len("My bill is wrong.") <= 600


def test_body_is_the_one_that_parse_would_send() -> None:
    import anthropic

    async def parse(url: str) -> None:
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url=url, max_retries=0) as client:
            await client.messages.parse(
                model=MODEL,
                max_tokens=200,
                messages=[{"role": "user", "content": "My bill is wrong."}],
                system="You sort tickets.",
                output_config={"effort": "medium"},
                output_format=Kind,
            )

    with MessagesServer() as server:
        asyncio.run(parse(server.url))
        answer(server, ask(effort="medium"))
    theirs, ours = (seen.body for seen in server.requests)
    del theirs["system"], ours["system"]  # ours is a block, for the cache
    assert ours == theirs


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        (FreeKeys, {"scores": [{"a": 0.5}]}, {"scores": 3}),
        (AnyJson, {"raw": [1, None]}, {"rows": 1}),
    ],
)
def test_types_beyond_the_api_schemas_are_asked_for_in_words(
    kind: type[BaseModel], value: object, wrong: object
) -> None:
    fenced = f"```json\n{json.dumps(value)}\n```"
    with MessagesServer(Reply.answer(fenced), Reply.answer(wrong)) as server:
        assert answer(server, ask(answer=kind)).value == value
        sent = server.last.body
        assert "output_config" not in sent
        assert sent["system"][0]["text"].startswith("You sort tickets.\n\n")
        assert json.dumps(kind.model_json_schema()) in sent["system"][0]["text"]
        with pytest.raises(ModelFault) as caught:
            answer(server, ask(answer=kind))
    assert (caught.value.kind, caught.value.usage) == ("misfit", Usage(12, 34))


def test_count_tokens() -> None:
    async def count(url: str, key: str | None = KEY) -> int | None:
        return await AnthropicProvider(key, url).count_tokens(ask(timeout=0.3))

    with MessagesServer(tokens=123) as server:
        assert asyncio.run(count(server.url)) == 123
        assert server.last.path == "/v1/messages/count_tokens"
        assert server.last.body.keys() == {"messages", "model", "output_config", "system"}
        # A count is a help and never a reason to fail.
        for reply in (Reply.status(429), Reply.hang(), Reply.cut(), Reply.raw(b"<html>", "text/x")):
            server.counts.append(reply)
            assert asyncio.run(count(server.url)) is None
        assert asyncio.run(count(server.url, None)) is None


# --- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "kind", "retryable"),
    [
        (Reply.status(400, message="prompt is too long"), "rejected", False),
        (Reply.status(401), "rejected", False),
        (Reply.status(402), "rejected", False),
        (Reply.status(403), "rejected", False),
        (Reply.status(404, message="model: claude-9"), "rejected", False),
        (Reply.status(408), "timeout", True),
        (Reply.status(409), "server", True),
        (Reply.status(413), "rejected", False),
        (Reply.status(429), "rate_limited", True),
        (Reply.status(429, error_code="ramp_limit_exceeded"), "rate_limited", True),
        (Reply.status(429, error_code="enforced_spend_limit_reached"), "rejected", False),
        (Reply.status(429, headers={"x-should-retry": "false"}), "rejected", False),
        (Reply.status(418, headers={"x-should-retry": "true"}), "server", True),
        (Reply.status(500), "server", True),
        (Reply.status(500, kind="overloaded_error"), "overloaded", True),
        (Reply.status(503), "server", True),
        (Reply.status(504), "timeout", True),
        (Reply.status(529), "overloaded", True),
        (Reply.raw(b"<html>bad gateway</html>", "text/html", 502), "server", True),
        (Reply.raw(b"<html>log in</html>", "text/html"), "server", True),
        (Reply.raw(b'{"type": "message", "con'), "server", True),
        (Reply.raw(b'{"type": "message"}'), "server", True),
        (Reply.answer(GOOD, usage={"input_tokens": -5, "output_tokens": 1}), "server", True),
        (Reply.answer(GOOD, usage={"input_tokens": 5, "output_tokens": "1"}), "server", True),
        (Reply.raw(b"[1]"), "server", True),
        (Reply.raw(b"null"), "server", True),
        (Reply.raw(b"\xff\xfe"), "server", True),
        (Reply.cut(), "connection", True),
    ],
)
def test_faults_without_usage(reply: Reply, kind: str, retryable: bool) -> None:
    found = fault(reply)
    assert (found.kind, found.retryable, found.usage) == (kind, retryable, None)


def test_message_of_a_status_tells_what_to_mend() -> None:
    found = fault(Reply.status(404, message="model: claude-9"))
    assert str(found) == (
        "rejected: the API answered 404 `not_found_error`: model: claude-9 (request req_1);"
        " are the tier's `model` and the provider's `base_url` right?"
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert fault(Reply.status(429, headers=headers)).retry_after == seconds


def test_retry_after_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    found = fault(Reply.status(529, headers={"retry-after": date}))
    assert found.retry_after is not None
    assert 25 < found.retry_after <= 30


@pytest.mark.parametrize(
    ("reply", "kind", "retryable"),
    [
        (Reply.answer('{"topic": "bil'), "misfit", True),
        (Reply.answer({"topic": "weather", "sure": 1}), "misfit", True),
        (Reply.answer(""), "misfit", True),
        (Reply.answer("", extra={"content": []}), "misfit", True),
        (Reply.answer(GOOD, stop_reason="pause_turn"), "misfit", True),
        (Reply.answer("I can't help", stop_reason="refusal"), "refusal", False),
        (Reply.answer('{"topic": "bil', stop_reason="max_tokens"), "output_limit", True),
        # Cut off, but the text happens to fit: still not all that the model wanted to say.
        (Reply.answer(GOOD, stop_reason="max_tokens"), "output_limit", True),
        (Reply.answer(GOOD, stop_reason="model_context_window_exceeded"), "output_limit", True),
    ],
)
def test_billed_faults_keep_their_usage(reply: Reply, kind: str, retryable: bool) -> None:
    found = fault(reply)
    assert (found.kind, found.retryable) == (kind, retryable)
    assert found.usage == Usage(12, 34)


def test_misfit_names_fields_and_never_values() -> None:
    found = fault(Reply.answer({"topic": "weather-of-ann", "sure": "very-much"}))
    assert "`topic`: Input should be 'billing' or 'access'" in found.message
    assert "`sure`" in found.message
    assert "ann" not in found.message
    assert "very-much" not in found.message


def test_refusal_tells_the_category() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "long"}
    found = fault(Reply.answer("", stop_reason="refusal", extra={"stop_details": details}))
    assert found.message == f"`{MODEL}` declined to answer (`cyber`)"


@pytest.mark.parametrize("reply", [Reply.hang(), Reply.drip()])
def test_timeout(reply: Reply) -> None:
    import anthropic  # noqa: F401  # its import isn't what is timed here

    begun = time.monotonic()
    found = fault(reply, request=ask(timeout=0.25))
    assert (found.kind, found.usage) == ("timeout", None)
    assert time.monotonic() - begun < 2


def test_cancelling_leaves_nothing_running() -> None:
    async def main(url: str) -> None:
        provider = AnthropicProvider(KEY, url)
        task = asyncio.create_task(provider.answer(ask()))
        assert await asyncio.to_thread(server.arrived.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await provider.close()

    with MessagesServer(Reply.hang()) as server:
        asyncio.run(main(server.url))


def test_nobody_listens() -> None:
    with MessagesServer() as server:
        url = server.url
    with pytest.raises(ModelFault) as caught:
        asyncio.run(AnthropicProvider(KEY, url).answer(ask()))
    assert caught.value.kind == "connection"
    check_no_secret(caught.value)


def test_text_that_is_no_unicode_is_rejected() -> None:
    # JSON can smuggle in lone surrogates. A new attempt would never help.
    assert fault(request=ask(user="\ud800")).kind == "rejected"


# --- keys and clients -----------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_missing_key(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    # Neither must the SDK find one by itself.
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with MessagesServer() as server, pytest.raises(ModelFault) as caught:
        asyncio.run(AnthropicProvider(key, server.url).answer(ask()))
    assert caught.value.kind == "rejected"
    assert "ANTHROPIC_API_KEY" in caught.value.message
    assert server.requests == []


@pytest.mark.parametrize("key", ["sk-ant-\nX: y", "sk-änt", "Bearer sk-ant"])
def test_key_that_no_header_can_hold(key: str) -> None:
    with pytest.raises(ModelFault) as caught:
        asyncio.run(AnthropicProvider(key, "http://127.0.0.1:1").answer(ask()))
    assert caught.value.kind == "rejected"
    assert key not in str(caught.value)


def test_wrong_key_is_not_repeated() -> None:
    wrong = "sk-ant-wrong"
    with MessagesServer() as server, pytest.raises(ModelFault) as caught:
        asyncio.run(AnthropicProvider(wrong + "\n", server.url).answer(ask()))
    assert caught.value.kind == "rejected"
    assert "invalid api key [key]" in caught.value.message
    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_environment_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-other")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    with MessagesServer(Reply.answer(GOOD)) as server:
        assert answer(server).value == GOOD


def test_repr_holds_no_secret() -> None:
    provider = AnthropicProvider(KEY, "https://me:hunter2@gateway.example/x")
    assert repr(provider) == "AnthropicProvider(host='gateway.example')"
    assert "bill" not in repr(ask())


@pytest.mark.parametrize("url", ["gateway.example", "ftp://gateway.example", "https://"])
def test_base_url_that_is_none(url: str) -> None:
    with pytest.raises(ModelFault) as caught:
        asyncio.run(AnthropicProvider(KEY, url).answer(ask()))
    assert caught.value.kind == "rejected"


def test_a_client_for_each_loop_that_is_closed_with_it() -> None:
    gc.collect()  # of other tests' leftovers, which are theirs
    with MessagesServer() as server, warnings.catch_warnings():
        # aiohttp warns of sessions that nobody closed.
        warnings.simplefilter("error", ResourceWarning)
        provider = AnthropicProvider(KEY, server.url)

        async def twice() -> None:
            await provider.answer(ask())
            await provider.answer(ask())

        asyncio.run(twice())
        asyncio.run(twice())
        gc.collect()
    first, second, third, fourth = (seen.port for seen in server.requests)
    assert first == second, "a loop keeps its connection"
    assert second != third, "and doesn't hand it to the next one"
    assert third == fourth


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply.answer(GOOD), None),
        (Reply.cut(), "connection"),
        (Reply.hang(), "timeout"),
        (Reply.drip(), "timeout"),
        (Reply.status(529), "overloaded"),
    ],
)
def test_without_aiohttp(reply: Reply, kind: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    import anthropic

    def missing(**options: Any) -> None:
        raise RuntimeError("no aiohttp")

    monkeypatch.setattr(anthropic, "DefaultAioHttpClient", missing)
    with MessagesServer(reply) as server:
        if kind is None:
            assert answer(server).value == GOOD
        else:
            with pytest.raises(ModelFault) as caught:
                answer(server, ask(timeout=0.25))
            assert caught.value.kind == kind


def test_close_and_use_again() -> None:
    async def main(url: str) -> None:
        provider: ModelProvider = AnthropicProvider(KEY, url)
        await provider.close()
        await provider.answer(ask())
        await provider.close()
        await provider.close()
        await provider.answer(ask())

    with MessagesServer() as server:
        asyncio.run(main(server.url))
    assert len({seen.port for seen in server.requests}) == 2


def test_several_threads_share_a_provider() -> None:
    answers: list[ModelAnswer] = []

    async def some(provider: AnthropicProvider) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(provider.answer(ask())) for _ in range(5)]
        answers.extend(task.result() for task in tasks)

    with MessagesServer() as server:
        provider = AnthropicProvider(KEY, server.url)
        threads = [threading.Thread(target=lambda: asyncio.run(some(provider))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert len(answers) == 20


def test_close_reaches_the_clients_of_other_loops() -> None:
    with MessagesServer() as server:
        provider = AnthropicProvider(KEY, server.url)
        used, over = threading.Event(), threading.Event()

        async def other() -> None:
            await provider.answer(ask())
            used.set()
            assert await asyncio.to_thread(over.wait, 60)
            # The next client is made while the former one may still be closing.
            for _ in range(5):
                await provider.answer(ask())

        thread = threading.Thread(target=lambda: asyncio.run(other()))
        thread.start()
        assert used.wait(60)  # the SDK is imported first
        asyncio.run(provider.close())
        over.set()
        thread.join(60)
        gc.collect()
    first, *others = (seen.port for seen in server.requests)
    assert len(others) == 5
    assert set(others) == {others[0]} != {first}


def test_nothing_heavy_is_imported_before_a_call() -> None:
    code = (
        "import sys, pipelang.runtime.providers.anthropic as a, pipelang.runtime.providers.replay\n"
        "a.AnthropicProvider('k')\n"
        "sys.exit(str([m for m in ('anthropic', 'aiohttp') if m in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
