"""Whatever a model's API does, a run goes on as its pipeline says: the real SDK, a local server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import anthropic.types.messages  # noqa: F401  (seconds, which no timeout here should have to pay)
import pytest

from pipelang import Answered
from pipelang.runtime.engine.outcomes import Failed, Result
from pipelang.runtime.host.handle import Runtime
from pipelang.runtime.providers.anthropic import AnthropicProvider
from tests.e2e.messages_server import KEY, MessagesServer, Reply, Seen
from tests.unit.runtime.stage import events, left_over, load

PROGRAM = """
pipeline main(x: text) -> Answer {
  budget $0.05
  step s: Answer = ask say(x) by small { retry 1 timeout TIMEOUT output 200 tokens max }
  return s
}
"""
GOOD = Reply.answer({"value": "found", "confidence": 0.9})
PRICE = Decimal(12 * 1 + 34 * 5) / 1_000_000
"""Of an answer as the server counts it."""
HELD = Decimal(200 * 5) / 1_000_000
"""What is held for the output of an attempt; its input comes on top."""


def play(
    tmp_path: Path, *script: Reply, timeout: str = "10s", text: str = PROGRAM
) -> tuple[Result, list[Seen]]:
    with MessagesServer(*script) as server:
        result = asyncio.run(_run(tmp_path, server, text.replace("TIMEOUT", timeout)))
        return result, [seen for seen in server.requests if seen.path == "/v1/messages"]


async def _run(tmp_path: Path, server: MessagesServer, text: str) -> Result:
    provider = AnthropicProvider(KEY, server.url)
    handle = load(tmp_path, text).pipeline("main", runtime=Runtime(providers={"lab": provider}))
    result = await asyncio.wait_for(handle.run(x="a"), 30)
    await provider.close()
    await asyncio.sleep(0)
    assert left_over() == []
    return result


@dataclass(frozen=True)
class Fault:
    """What the API does, what the trace calls it, and what of it is billed: all that was held where
    nobody knows, the usage where there is one.
    """

    reply: Reply
    why: str
    billed: str
    timeout: str = "10s"


FAULTS = {
    "hang": Fault(Reply.hang(), "timeout", "held", "500ms"),
    "drip": Fault(Reply.drip(), "timeout", "held", "500ms"),
    "late": Fault(Reply("answer", text="{}", delay=2.0), "timeout", "held", "500ms"),
    "cut": Fault(Reply.cut(), "connection", "held"),
    "rate limit": Fault(Reply.status(429), "rate_limited", "nothing"),
    "server error": Fault(Reply.status(500), "server", "held"),
    "overloaded": Fault(Reply.status(529), "overloaded", "nothing"),
    "broken JSON": Fault(Reply.raw(b'{"type": "mess'), "server", "held"),
    "no JSON": Fault(Reply.raw(b"<html>", "text/html"), "server", "held"),
    "no message": Fault(Reply.raw(b"[1]"), "server", "held"),
    "misfit": Fault(Reply.answer({"value": 1}), "misfit", "usage"),
    "no JSON in the answer": Fault(Reply.answer("well, maybe"), "misfit", "usage"),
    "empty": Fault(Reply.answer(""), "misfit", "usage"),
    "output limit": Fault(
        Reply.answer('{"value": "fo', stop_reason="max_tokens"), "output_limit", "usage"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_an_attempt_that_failed(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    result, requests = play(tmp_path, fault.reply, GOOD, timeout=fault.timeout)
    assert isinstance(result, Answered), result
    assert result.value.value == "found"
    (failed,), (retry,) = events(result, "failed"), events(result, "retry")
    assert failed.data["why"] == fault.why
    assert retry.data["attempt"] == 1
    lost = result.cost - PRICE
    match fault.billed:
        case "nothing":
            assert lost == 0
        case "usage":
            assert lost == PRICE
        case _:
            assert HELD < lost < 2 * HELD
    assert float(lost) == pytest.approx(failed.data.get("cost", 0.0))
    # One attempt is one request: the SDK's own retries would multiply ours.
    assert len(requests) == 2
    assert {seen.headers["x-stainless-retry-count"] for seen in requests} == {"0"}


def test_the_model_is_told_what_did_not_fit(tmp_path: Path) -> None:
    _, (first, second) = play(tmp_path, Reply.answer({"value": 1}), GOOD)
    assert first.body["messages"][0]["content"] == "Say a."
    told = second.body["messages"][0]["content"]
    assert told.startswith("Say a.\n\nYour former answer could not be used: `value`")
    assert "`confidence`" in told


@pytest.mark.parametrize("again", ["hang", "cut", "overloaded", "misfit"])
def test_a_fault_of_every_attempt_ends_the_run(again: str, tmp_path: Path) -> None:
    fault = FAULTS[again]
    result, requests = play(tmp_path, fault.reply, fault.reply, timeout=fault.timeout)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("chain_exhausted", "s")
    assert [event.data["why"] for event in events(result, "failed")] == [fault.why] * 2
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("reply", "why", "cost"),
    [
        (Reply.answer("", stop_reason="refusal"), "refusal", PRICE),
        (Reply.status(400), "rejected", Decimal(0)),
        (Reply.status(401), "rejected", Decimal(0)),
        (Reply.status(404), "rejected", Decimal(0)),
    ],
)
def test_what_cannot_help_is_not_tried_again(
    reply: Reply, why: str, cost: Decimal, tmp_path: Path
) -> None:
    result, requests = play(tmp_path, reply, GOOD)
    assert isinstance(result, Failed)
    assert [event.data["why"] for event in events(result, "failed")] == [why]
    assert events(result, "retry") == []
    assert result.cost == cost
    assert len(requests) == 1


def test_a_wait_that_is_asked_for_is_kept(tmp_path: Path) -> None:
    began = time.monotonic()
    reply = Reply.status(429, headers={"retry-after-ms": "300"})
    result, requests = play(tmp_path, reply, GOOD)
    assert isinstance(result, Answered)
    assert len(requests) == 2
    assert time.monotonic() - began >= 0.3


def test_nobody_waits_beyond_the_deadline(tmp_path: Path) -> None:
    reply = Reply.status(429, headers={"retry-after": "60"})
    result, requests = play(tmp_path, reply, GOOD, timeout="20s")
    assert isinstance(result, Failed)
    assert len(requests) == 1
    assert events(result, "retry") == []


def test_a_fallback_answers_in_place_of_a_refusal(tmp_path: Path) -> None:
    text = PROGRAM.replace("max }", "max }\n    else ask say(x) by big { output 200 tokens max }")
    result, requests = play(tmp_path, Reply.answer("", stop_reason="refusal"), GOOD, text=text)
    assert isinstance(result, Answered)
    assert [seen.body["model"] for seen in requests] == ["s", "b"]
    assert result.cost == PRICE * 3, "the second at twice the price"


def test_a_usage_of_zeros_counts_and_never_more_than_was_reserved(tmp_path: Path) -> None:
    nothing = {"input_tokens": 0, "output_tokens": 0}
    result, _ = play(tmp_path, Reply.answer({"value": "found", "confidence": 0.9}, usage=nothing))
    assert isinstance(result, Answered), "a gateway that counts nothing is no fault"
    assert 0 < result.cost < 2 * HELD
    (answer,) = [event for event in result.trace if event.kind == "answer"]
    assert "told no usage" in answer.data["note"]
    assert answer.data["tokens_in"] > 0
    assert answer.data["tokens_out"] > 0


def test_a_model_without_a_price_is_never_asked_where_money_is_limited(tmp_path: Path) -> None:
    tier = """tier free {
  provider lab model "f" latency 1s median transient 0% context 100k tokens
}
"""
    text = tier + PROGRAM.replace("by small", "by free").replace("TIMEOUT", "9s")
    result, requests = play(tmp_path, GOOD, text=text)
    assert isinstance(result, Failed)
    assert result.code == "unpriced"
    assert requests == []
    result, requests = play(tmp_path / "free", GOOD, text=text.replace("  budget $0.05\n", ""))
    assert isinstance(result, Answered)
    assert (result.cost, len(requests)) == (None, 1), "unknown, and not nothing"


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_passes_a_budget(name: str, tmp_path: Path) -> None:
    """Room for one attempt and a bit: the second may be made only if the first cost little."""
    fault = FAULTS[name]
    text = PROGRAM.replace("$0.05", "$0.0015")
    result, requests = play(tmp_path, fault.reply, GOOD, timeout=fault.timeout, text=text)
    assert result.cost <= Decimal("0.0015")
    if fault.billed == "held":
        assert isinstance(result, Failed)
        assert result.code == "budget_exceeded"
        assert len(requests) == 1
    else:
        assert isinstance(result, Answered)
