"""`batch within D` over the real SDK and a local server that takes batches."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic.types.messages  # noqa: F401  (seconds, which no D here should have to pay)
import pytest

from pipelang import Answered
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.outcomes import Failed, Result
from pipelang.runtime.host.handle import Handle, Runtime
from pipelang.runtime.providers.anthropic import AnthropicProvider
from tests.e2e.messages_server import KEY, MessagesServer, Reply
from tests.unit.runtime.stage import Models, left_over, load

PROGRAM = """
pipeline main(x: text) -> text {
  budget $0.01
  step s: text = ask say(x) by small { batch within WITHIN retry RETRY output 100 tokens max }
  return s
}
"""
PRICE = Decimal("0.5") * (12 * 1 + 34 * 5) / 1_000_000
"""Of a request as the server counts it, at half the price."""


def ready(
    tmp_path: Path, server: MessagesServer, within: str = "20s", retry: int = 0, **more: Any
) -> Handle:
    text = PROGRAM.replace("WITHIN", within).replace("RETRY", str(retry))
    models = more.pop("models", None) or AnthropicProvider(KEY, server.url)
    runtime = Runtime(providers={"lab": models}, **more)
    return load(tmp_path, text).pipeline("main", runtime=runtime)


async def all_of(handle: Handle, *inputs: str) -> list[Result]:
    results = await asyncio.gather(*(handle.run(x=x) for x in inputs))
    await handle.runtime.providers["lab"].close()
    await asyncio.sleep(0)
    assert left_over() == []
    return list(results)


def failures(result: Result) -> list[Event]:
    return [event for event in result.trace if event.kind == "failed"]


def test_runs_share_a_batch_at_half_the_price(tmp_path: Path) -> None:
    script = [Reply.answer(f"answer {n}") for n in range(3)]
    with MessagesServer(*script) as server:
        server.looks = 3
        results = asyncio.run(all_of(ready(tmp_path, server), "a", "b", "c"))
        batches, sent = server.batches, [r.path for r in server.requests]
    assert [failures(r) for r in results] == [[], [], []]
    assert sent == ["/v1/messages/count_tokens"] * 3 + ["/v1/messages/batches"]
    (requests,) = batches.values()
    texts = [body["messages"][0]["content"] for _, body in requests]
    asked = ["Say a.", "Say b.", "Say c."]
    assert sorted(texts) == asked  # they come in as their tokens are counted
    # The server tells the results backwards: each run has its own all the same.
    assert [getattr(result, "value", None) for result in results] == [
        f"answer {texts.index(text)}" for text in asked
    ]
    for result in results:
        assert result.cost == PRICE
        assert result.tokens == 12 + 34
        (event,) = [event for event in result.trace if event.kind == "answer"]
        assert event.data["batch"] is True


@pytest.mark.parametrize(
    ("reply", "why", "cost"),
    [
        (Reply.status(529), "overloaded", Decimal(0)),
        (Reply.status(500), "server", Decimal(0)),
        (Reply.status(400), "rejected", Decimal(0)),
        (Reply.hang(), "timeout", Decimal(0)),  # the server lets it expire
        (Reply.answer("", stop_reason="refusal"), "refusal", PRICE),
        (Reply.answer("cut", stop_reason="max_tokens"), "output_limit", PRICE),
    ],
)
def test_one_of_a_batch_fails_alone(tmp_path: Path, reply: Reply, why: str, cost: Decimal) -> None:
    with MessagesServer(reply, Reply.answer("fine")) as server:
        both = asyncio.run(all_of(ready(tmp_path, server), "a", "b"))
    good, bad = sorted(both, key=lambda result: isinstance(result, Failed))  # whichever was first
    assert isinstance(good, Answered)
    assert isinstance(bad, Failed)
    assert [event.data["why"] for event in failures(bad)] == [why]
    assert bad.cost == cost


def test_a_retry_goes_by_a_batch_of_its_own(tmp_path: Path) -> None:
    with MessagesServer(Reply.status(529), Reply.answer("fine")) as server:
        (result,) = asyncio.run(all_of(ready(tmp_path, server, retry=1), "a"))
        assert len(server.batches) == 2
    assert isinstance(result, Answered)
    assert result.cost == PRICE


@pytest.mark.parametrize(
    ("reply", "why"), [(Reply.status(529), "overloaded"), (Reply.cut(), "connection")]
)
def test_a_batch_that_cannot_be_made_fails_the_attempt(
    tmp_path: Path, reply: Reply, why: str
) -> None:
    with MessagesServer() as server:
        server.making.append(reply)
        first, second = asyncio.run(all_of(ready(tmp_path, server), "a", "b"))
    for result in (first, second):
        assert isinstance(result, Failed)
        assert [event.data["why"] for event in failures(result)] == [why]


def test_what_does_not_come_in_time_is_given_up(tmp_path: Path) -> None:
    with MessagesServer() as server:
        server.looks = 10_000
        (result,) = asyncio.run(all_of(ready(tmp_path, server, within="300ms"), "a"))
        assert server.given_up == ["msgbatch_0"]
    assert isinstance(result, Failed)
    assert [event.data["why"] for event in failures(result)] == ["timeout"]
    # Whether it was billed is not known: what was held stays taken, half the price of the worst.
    assert 0 < result.cost <= Decimal("0.001")


def test_a_batch_lives_as_long_as_somebody_waits_for_it(tmp_path: Path) -> None:
    async def main(server: MessagesServer) -> Result:
        handle = ready(tmp_path, server)
        first, second = (asyncio.ensure_future(handle.run(x=x)) for x in "ab")
        await asyncio.to_thread(server.made.acquire)
        first.cancel()
        await asyncio.wait([first])
        assert server.given_up == []
        server.looks = 0
        result = await second
        third = asyncio.ensure_future(handle.run(x="c"))
        server.looks = 10_000
        await asyncio.to_thread(server.made.acquire)
        third.cancel()
        await asyncio.wait([third])
        assert server.given_up == ["msgbatch_1"]
        await handle.runtime.providers["lab"].close()
        await asyncio.sleep(0)
        assert left_over() == []
        return result

    with MessagesServer() as server:
        server.looks = 10_000
        assert isinstance(asyncio.run(main(server)), Answered)


def test_a_provider_without_batches_is_asked_as_usual(tmp_path: Path) -> None:
    models = Models()
    with MessagesServer() as server:
        (result,) = asyncio.run(all_of(ready(tmp_path, server, models=models), "a"))
    assert isinstance(result, Answered)
    assert result.cost == Decimal(10 * 1 + 5 * 5) / 1_000_000, "the whole price"
