"""Batches of the makers by their real SDKs, at local servers that fail as the real ones."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered
from pipelang.runtime.engine.outcomes import Failed, Result
from pipelang.runtime.host.handle import Runtime
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.batches import waiting
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.shared.batching import BatchProvider
from pipelang.testing import Reply
from pipelang.testing.dialects import KEY
from pipelang.testing.provider_suite import request
from tests.e2e.providers.batch_servers import (
    AnthropicBatchServer,
    BatchServer,
    GoogleBatchServer,
    OpenAIBatchServer,
    Plan,
)
from tests.unit.runtime.stage import left_over, load

Maker = tuple[Callable[[Plan], BatchServer], Callable[[str], Any]]

OPENAI: Maker = (OpenAIBatchServer, lambda url: OpenAIProvider(KEY, url))
GOOGLE: Maker = (GoogleBatchServer, lambda url: GoogleProvider(KEY, url))
ANTHROPIC: Maker = (AnthropicBatchServer, lambda url: AnthropicProvider(KEY, url))
BY_ORDER: Maker = (lambda plan: GoogleBatchServer(plan, metadata=False), GOOGLE[1])

both = pytest.mark.parametrize("maker", [OPENAI, GOOGLE], ids=["openai", "google"])
every = pytest.mark.parametrize(
    "maker", [OPENAI, GOOGLE, BY_ORDER], ids=["openai", "google", "google_by_order"]
)


def asked(count: int, timeout: float | None = 10.0, **more: Any) -> list[ModelRequest]:
    return [
        request(answer=None, timeout=timeout, user=f"Say {number}.", **more)
        for number in range(count)
    ]


def results(
    maker: Maker, plan: Plan, requests: list[ModelRequest]
) -> tuple[list[ModelAnswer | ModelFault], BatchServer]:
    async def main(url: str) -> list[ModelAnswer | ModelFault]:
        provider = maker[1](url)
        try:
            found: list[ModelAnswer | ModelFault] = await provider.batch(requests)
            return found
        finally:
            await provider.close()

    with maker[0](plan) as server:
        return asyncio.run(main(server.url)), server


def fault(maker: Maker, plan: Plan, requests: list[ModelRequest]) -> tuple[ModelFault, BatchServer]:
    server: list[BatchServer] = []

    def make(given: Plan) -> BatchServer:
        server.append(maker[0](given))
        return server[0]

    with pytest.raises(ModelFault) as caught:
        results((make, maker[1]), plan, requests)
    return caught.value, server[0]


def replies(*texts: Any) -> deque[Reply]:
    return deque(text if isinstance(text, Reply) else Reply.answer(text) for text in texts)


def told(found: list[ModelAnswer | ModelFault]) -> list[Any]:
    return [one.kind if isinstance(one, ModelFault) else one.value for one in found]


@every
def test_results_in_any_order_go_to_their_requests(maker: Maker) -> None:
    found, server = results(maker, Plan(replies("zero", "one", "two")), asked(3))
    assert told(found) == ["zero", "one", "two"]
    assert {one.usage for one in found} == {Usage(12, 34)}
    ((_, body), *_) = server.batches["batch_0"].requests
    assert "Say 0." in server.dialect.texts(body)


@every
def test_one_of_a_batch_fails_alone_and_is_not_billed(maker: Maker) -> None:
    script = replies("zero", Reply.status(429), Reply.refusal(), Reply.cut_off(), "four")
    found, _ = results(maker, Plan(script), asked(5))
    assert told(found) == ["zero", "rate_limited", "refusal", "output_limit", "four"]
    assert [one.usage for one in found[1:4]] == [Usage(0, 0), Usage(12, 34), Usage(12, 34)]


@pytest.mark.parametrize(("maker", "state"), [(OPENAI, "expired"), (GOOGLE, "BATCH_STATE_EXPIRED")])
def test_what_a_batch_finished_before_it_expired_counts(maker: Maker, state: str) -> None:
    plan = Plan(replies("zero", Reply.hang(), "two"), ends=state)
    found, _ = results(maker, plan, asked(3))
    assert told(found) == ["zero", "timeout", "two"]
    assert found[1].usage == Usage(0, 0)


@pytest.mark.parametrize(
    ("maker", "state", "kind"),
    [
        (OPENAI, "cancelled", "timeout"),
        (GOOGLE, "BATCH_STATE_CANCELLED", "timeout"),
        (GOOGLE, "BATCH_STATE_FAILED", "server"),
    ],
)
def test_a_batch_that_ended_without_results(maker: Maker, state: str, kind: str) -> None:
    plan = Plan(replies(Reply.hang(), Reply.hang()), ends=state)
    if maker is OPENAI:
        plan.change = lambda lines: []
    found, _ = results(maker, plan, asked(2))
    assert told(found) == [kind, kind]
    assert found[0] is not found[1]


def test_a_batch_that_is_turned_down_says_why_without_the_key() -> None:
    why, server = fault(OPENAI, Plan(ends="failed"), asked(2))
    assert why.kind == "rejected"
    assert "model_not_found" in why.message
    assert KEY not in why.message
    assert why.usage == Usage(0, 0)
    assert server.deleted == ["file-in-0"]


@both
def test_lost_looks_are_made_up_for(maker: Maker) -> None:
    found, _ = results(maker, Plan(replies("zero"), lost_looks=4), asked(1))
    assert told(found) == ["zero"]


@both
def test_a_batch_that_nobody_can_see_is_given_up(maker: Maker) -> None:
    why, server = fault(maker, Plan(lost_looks=1000), asked(1))
    assert why.kind in ("server", "overloaded")
    assert server.batches["batch_0"].given_up


def test_results_whose_reading_breaks_off_are_read_again() -> None:
    found, _ = results(OPENAI, Plan(replies("zero", "one"), lost_reads=2), asked(2))
    assert told(found) == ["zero", "one"]


def test_of_two_results_for_one_number_the_first_counts() -> None:
    plan = Plan(replies("zero", "one"), change=lambda lines: [*lines, lines[0], lines[1]])
    for maker in (OPENAI, GOOGLE):
        found, _ = results(maker, dataclasses.replace(plan, replies=replies("a", "b")), asked(2))
        assert told(found) == ["a", "b"]


@pytest.mark.parametrize(
    "line",
    [
        '{"custom_id": "1", "resp',
        "[]",
        "",
        "not JSON",
        "[" * 100_000,
        {"custom_id": "9" * 5_000, "response": {"status_code": 200, "body": {}}},
        {"custom_id": "7", "response": {"status_code": 200, "body": {}}},
        {"custom_id": None},
        {"response": None},
    ],
)
@pytest.mark.parametrize("maker", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
def test_lines_that_are_torn_or_nobodys_lose_one_result(maker: Maker, line: Any) -> None:
    plan = Plan(replies("zero", "one"), change=lambda lines: [line, lines[1]])
    found, _ = results(maker, plan, asked(2))
    assert told(found) == ["zero", "server"]
    assert found[1].usage is None, "what it used nobody knows"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"output": 3, "usage": 4},
        {"status": "completed", "output": [7], "usage": {"input_tokens": 3, "output_tokens": 4}},
    ],
)
def test_results_that_are_no_responses(body: Any) -> None:
    line = {"custom_id": "0", "response": {"status_code": 200, "body": body}, "error": None}
    found, _ = results(OPENAI, Plan(change=lambda lines: [line]), asked(1))
    assert told(found)[0] in ("server", "misfit")


@pytest.mark.parametrize("maker", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
def test_a_line_of_results_ends_at_its_end_alone(maker: Maker) -> None:
    """JSON may have separators of lines and pages in its texts that are none of files."""

    def change(lines: list[Any]) -> list[Any]:
        return [json.dumps(line).replace("TEXT", "a\u2028b\u0085c") for line in lines]

    found, _ = results(maker, Plan(replies("TEXT", "one"), change=change), asked(2))
    assert told(found) == ["a\u2028b\u0085c", "one"]


def test_a_number_that_is_nobodys_loses_one_result() -> None:
    def change(lines: list[Any]) -> list[Any]:
        return [lines[0] | {"metadata": {"key": "9" * 5_000}}, lines[1]]

    found, _ = results(GOOGLE, Plan(replies("zero", "one"), change=change), asked(2))
    assert told(found) == ["zero", "server"]


def test_results_by_order_need_as_many_as_requests() -> None:
    plan = Plan(replies("zero", "one", "two"), change=lambda lines: lines[1:])
    found, _ = results(BY_ORDER, plan, asked(3))
    assert told(found) == ["server"] * 3


@both
def test_a_batch_that_cannot_be_made(maker: Maker) -> None:
    limited = Reply.status(429, retry_after="17")
    why, server = fault(maker, Plan(making=deque([limited])), asked(1))
    assert (why.kind, why.retry_after) == ("rate_limited", 17.0)
    assert not server.batches
    assert not server.files


@both
@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>Log in</html>", b'{"id": 7}', b"null"])
def test_what_is_no_batch(maker: Maker, body: bytes) -> None:
    why, _ = fault(maker, Plan(making=deque([Reply.raw(body)])), asked(1))
    assert why.kind == "server"


@both
def test_each_model_has_a_batch_of_its_own(maker: Maker) -> None:
    requests = asked(1) + asked(1, model="another") + asked(1)
    refused = Reply.status(400, "no such model")
    found, server = results(maker, Plan(), requests)
    assert told(found) == ["fine"] * 3
    assert sorted(len(batch.requests) for batch in server.batches.values()) == [1, 2]
    found, server = results(maker, Plan(making=deque([refused])), requests)
    kinds = told(found)
    assert sorted(kinds) in (["fine", "fine", "rejected"], ["fine", "rejected", "rejected"])


@both
def test_a_batch_that_would_be_too_large_is_several(maker: Maker) -> None:
    long = "x" * 8_000_000
    requests = [dataclasses.replace(one, system=long) for one in asked(3)]
    parts = waiting._parts(_Small(), requests)
    assert parts == [[0], [1], [2]]
    assert waiting._parts(_Small(), asked(3)) == [[0, 1, 2]]


class _Small(waiting.MakersBatches[Any]):
    most_bytes = 18_000_000

    async def make(self, requests: Any) -> Any: ...
    async def look(self, batch: Any) -> Any: ...
    def is_over(self, batch: Any) -> bool | None: ...
    async def results(self, batch: Any, requests: Any) -> Any: ...
    async def give_up(self, batch: Any) -> None: ...


@both
def test_nothing_is_left_at_the_maker(maker: Maker) -> None:
    _, server = results(maker, Plan(replies("zero", Reply.status(500))), asked(2))
    assert not server.files
    assert server.deleted


@both
def test_what_does_not_come_in_time_is_given_up(maker: Maker) -> None:
    why, server = fault(maker, Plan(looks=10_000), asked(1, timeout=0.4))
    assert why.kind == "timeout"
    assert why.usage is None
    assert server.batches["batch_0"].given_up
    assert not server.files


@both
def test_cancelling_gives_the_batch_up_and_leaves_nothing_running(maker: Maker) -> None:
    async def main(server: BatchServer) -> None:
        provider = maker[1](server.url)
        task = asyncio.ensure_future(provider.batch(asked(1) + asked(1, model="another")))
        for _ in range(2):
            await asyncio.to_thread(server.made.acquire)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await provider.close()

    with maker[0](Plan(looks=10_000)) as server:
        asyncio.run(main(server))
        assert [batch.given_up for batch in server.batches.values()] == [True, True]


PROGRAM = """
pipeline main(x: text) -> text {
  budget $0.01
  step s: text = ask say(x) by small { batch within 10s output 100 tokens max }
  return s
}
"""
PRICE = Decimal("0.5") * (12 * 1 + 34 * 5) / 1_000_000


@both
def test_runs_share_a_batch_at_half_the_price(tmp_path: Path, maker: Maker) -> None:
    async def main(url: str) -> list[Result]:
        runtime = Runtime(providers={"lab": maker[1](url)})
        handle = load(tmp_path, PROGRAM).pipeline("main", runtime=runtime)
        found = await asyncio.gather(*(handle.run(x=x) for x in "abc"))
        await handle.runtime.providers["lab"].close()
        await asyncio.sleep(0)
        assert left_over() == []
        return list(found)

    script = replies("zero", Reply.status(503), "two")
    with maker[0](Plan(script)) as server:
        first, second, third = asyncio.run(main(server.url))
        assert len(server.batches) == 1
    assert isinstance(first, Answered)
    assert isinstance(third, Answered)
    assert (first.value, first.cost, third.value, third.cost) == ("zero", PRICE, "two", PRICE)
    assert isinstance(second, Failed)
    assert second.cost == 0
    (event,) = [event for event in first.trace if event.kind == "answer"]
    assert event.data["batch"] is True


def test_compatible_servers_take_no_batches() -> None:
    assert isinstance(OpenAIProvider(KEY), BatchProvider)
    assert not isinstance(OpenAICompatibleProvider(KEY), BatchProvider)
