"""Chains: retries, fallbacks, waits, timeouts, answers that do not fit, routes and outcomes."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Escalated, Failed, NotRunnable
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage
from pipelang.runtime.worlds.real.world import RealWorld

from ..stage import Models, events, handle, load, play

BUSY = ModelFault("overloaded", "busy")
REFUSED = ModelFault("refusal", "no")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between attempts, which take no time."""
    waits: list[float] = []

    async def sleep(self: Any, run: Any, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(RealWorld, "sleep", sleep)
    return waits


def chain(folder: Path, links: str, kind: str = "text") -> Any:
    return load(folder, f"pipeline main(x: text) -> {kind} {{ step a: {kind} = {links} return a }}")


@pytest.mark.parametrize(("retries", "asked"), [(None, 1), (0, 1), (1, 2), (4, 5)])
def test_retries_are_attempts_beyond_the_first(
    tmp_path: Path, retries: int | None, asked: int
) -> None:
    option = "" if retries is None else f"{{ retry {retries} }}"
    models = Models(a=BUSY)
    result = play(chain(tmp_path, f"ask say(x) by small {option}"), models, x="hi")
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("chain_exhausted", "a")
    assert len(models.requests) == asked
    assert [e.data["attempt"] for e in events(result, "failed")] == list(range(asked))


def test_fallbacks_are_tried_in_order_and_each_retries_by_itself(tmp_path: Path) -> None:
    links = """
      ask say("one") by small { retry 1 }
      else ask say("two") by big { retry 2 }
      else ask say("three") by small
      else escalate to boss "nobody"
    """
    models = Models(a=BUSY)
    result = play(chain(tmp_path, links), models, x="hi")
    assert isinstance(result, Escalated)
    assert (result.role, result.reason, result.text) == ("boss", "a", "nobody")
    said = [(request.user, request.tier) for request in models.requests]
    one, two, three = ("Say one.", "small"), ("Say two.", "big"), ("Say three.", "small")
    assert said == [one] * 2 + [two] * 3 + [three]


def test_the_first_answer_ends_the_walk(tmp_path: Path) -> None:
    links = "ask say(x) by small { retry 3 } else ask say(x) by big else []"
    models = Models(a=[BUSY, {"answer": ["b"]}])
    result = play(chain(tmp_path, links, "[text] max 3"), models, x="hi")
    assert isinstance(result, Answered)
    assert result.value == ["b"]
    assert len(models.requests) == 2


def test_a_pure_fallback_is_never_retried_and_never_fails(tmp_path: Path) -> None:
    links = "ask say(x) by small { retry 1 } else [x]"
    result = play(chain(tmp_path, links, "[text] max 3"), Models(a=BUSY), x="hi")
    assert isinstance(result, Answered)
    assert result.value == ["hi"]
    (value,) = events(result, "value")
    assert value.content == ["hi"]


@pytest.mark.parametrize("kind", ["refusal", "rejected", "no_recording"])
def test_what_cannot_be_mended_is_not_tried_again(tmp_path: Path, kind: Any) -> None:
    models = Models(a=[ModelFault(kind, "no"), "fallback"])
    links = "ask say(x) by small { retry 5 } else ask say(x) by big"
    result = play(chain(tmp_path, links), models, x="hi")
    assert isinstance(result, Answered)
    assert [request.tier for request in models.requests] == ["small", "big"]


def test_waits_are_drawn_up_to_a_doubling_bound(tmp_path: Path, slept: list[float]) -> None:
    class Longest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            assert a == 0
            return b

    loaded = chain(tmp_path, "ask say(x) by small { retry 5 backoff 1s..5s }")
    ready = handle(loaded, Models(a=BUSY))
    ready.runtime.chance = Longest()
    asyncio.run(ready.run(x="hi"))
    assert slept == [1, 2, 4, 5, 5]


def test_waits_are_between_nothing_and_their_bound(tmp_path: Path, slept: list[float]) -> None:
    loaded = chain(tmp_path, "ask say(x) by small { retry 3 backoff 1s..3s } else x")
    for _ in range(50):
        play(loaded, Models(a=BUSY), x="hi")
    assert len(slept) == 150
    for number, bound in enumerate([1, 2, 3]):
        waits = slept[number::3]
        assert 0 <= min(waits) <= max(waits) <= bound
        assert max(waits) > bound / 2 > min(waits)


def test_without_backoff_nothing_is_waited_for(tmp_path: Path, slept: list[float]) -> None:
    play(chain(tmp_path, "ask say(x) by small { retry 3 }"), Models(a=BUSY), x="hi")
    assert slept == []


def test_retry_after_is_honoured(tmp_path: Path, slept: list[float]) -> None:
    fault = ModelFault("rate_limited", "slow down", retry_after=7.5)
    links = "ask say(x) by small { retry 1 backoff 1s..2s timeout 10s }"
    result = play(chain(tmp_path, links), Models(a=[fault, "fine"]), x="hi")
    assert isinstance(result, Answered)
    assert slept == [7.5]


def test_retry_after_beyond_the_timeout_goes_to_the_next_link(
    tmp_path: Path, slept: list[float]
) -> None:
    fault = ModelFault("rate_limited", "slow down", retry_after=11)
    links = "ask say(x) by small { retry 5 timeout 10s } else ask say(x) by big"
    models = Models(a=[fault, "fine"])
    assert isinstance(play(chain(tmp_path, links), models, x="hi"), Answered)
    assert [request.tier for request in models.requests] == ["small", "big"]
    assert slept == []


@pytest.mark.parametrize(("asked", "waited"), [(600.0, [600.0]), (601.0, []), (2_592_000.0, [])])
def test_without_a_timeout_no_more_is_waited_than_an_attempt_may_take(
    tmp_path: Path, slept: list[float], asked: float, waited: list[float]
) -> None:
    """A server that asked to be left alone for 30 days held the run for as long."""
    fault = ModelFault("rate_limited", "slow down", retry_after=asked)
    links = "ask say(x) by small { retry 5 } else ask say(x) by big"
    models = Models(a=[fault, "fine"])
    assert isinstance(play(chain(tmp_path, links), models, x="hi"), Answered)
    assert [request.tier for request in models.requests] == ["small", "small" if waited else "big"]
    assert slept == waited


def test_retry_after_of_the_last_attempt_is_not_waited_for(
    tmp_path: Path, slept: list[float]
) -> None:
    fault = ModelFault("rate_limited", "slow down", retry_after=3)
    links = "ask say(x) by small else ask say(x) by big"
    assert isinstance(play(chain(tmp_path, links), Models(a=[fault, "ok"]), x="hi"), Answered)
    assert slept == []


@pytest.mark.usefixtures("virtual_time")
def test_a_hanging_provider_is_cancelled_and_the_attempt_counts(tmp_path: Path) -> None:
    cancelled: list[str] = []

    async def hang(request):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(request.step)
            raise

    loaded = chain(tmp_path, "ask say(x) by small { retry 1 timeout 50ms } else x")
    models = Models(a=hang)
    began = time.monotonic()
    result = play(loaded, models, x="hi")
    assert time.monotonic() - began < 2
    assert isinstance(result, Answered)
    assert result.value == "hi"
    assert cancelled == ["a", "a"]
    assert [e.data["why"] for e in events(result, "failed")] == ["timeout", "timeout"]
    assert models.requests[0].timeout == pytest.approx(0.05)


class SlowToStart(Models):
    """Its first call would take longer than the others."""

    started = 0

    async def warm(self) -> None:
        if not self.started:
            await asyncio.sleep(0.3)
            self.started += 1


@pytest.mark.usefixtures("virtual_time")
def test_no_attempt_pays_for_the_start_of_a_provider(tmp_path: Path) -> None:
    loaded = chain(tmp_path, "ask say(x) by small { timeout 100ms } else x")
    models = SlowToStart(a="said")
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered)
    assert (result.value, models.started, len(models.requests)) == ("said", 1, 1)


@pytest.mark.usefixtures("virtual_time")
def test_a_budget_does_not_wait_for_the_start_of_a_provider(tmp_path: Path) -> None:
    text = """pipeline main(x: text) -> text {
      budget 100ms
      step s: text = ask say(x) by small { output 5 tokens max } else x
      return s
    }"""
    models = SlowToStart(s="said")
    result = play(load(tmp_path, text), models, x="hi")
    assert isinstance(result, Failed)
    assert (result.code, result.cost, models.requests) == ("timeout", 0, [])


def test_a_usage_of_less_than_nothing_is_none(tmp_path: Path) -> None:
    loaded = chain(tmp_path, "ask say(x) by small else x")
    models = Models(a=lambda request: ModelAnswer("said", Usage(-1000, 5), "s"))
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered)
    assert result.value == "hi"
    assert result.cost >= 0


def test_a_timeout_of_the_providers_own_is_a_failure_like_any_other(tmp_path: Path) -> None:
    links = "ask say(x) by small { retry 1 timeout 5s }"
    result = play(chain(tmp_path, links), Models(a=[TimeoutError("mine"), "fine"]), x="hi")
    assert isinstance(result, Answered)


@pytest.mark.parametrize("error", [KeyError("oops"), asyncio.CancelledError(), RuntimeError()])
def test_a_provider_that_breaks_its_promise_fails_its_attempt(
    tmp_path: Path, error: BaseException
) -> None:
    links = "ask say(x) by small { retry 1 output 10 tokens max } else x"
    result = play(chain(tmp_path, links), Models(a=[error, "fine"]), x="hi")
    assert isinstance(result, Answered)
    assert result.value == "fine"
    (failed,) = events(result, "failed")
    assert failed.data["why"] == "raised"


def test_a_provider_that_cannot_be_had_raises_before_anything_runs(tmp_path: Path) -> None:
    loaded = chain(tmp_path, "ask say(x) by small { retry 5 } else x")
    ready = handle(loaded)
    ready.runtime.providers = {}
    seen: list[Any] = []
    ready.runtime.sinks = (lambda run, event: seen.append(event),)
    with pytest.raises(NotRunnable, match="nothing is installed for providers of kind `fake`"):
        asyncio.run(ready.run(x="hi"))
    assert seen == []


def test_what_does_not_fit_is_told_to_the_next_attempt(tmp_path: Path) -> None:
    links = "ask say(x) by small { retry 2 } else ask say(x) by big"
    good = {"value": "ok", "confidence": 0.9}
    wrong = {"value": 5, "confidence": 1.2}
    models = Models(a=[wrong, BUSY, wrong, good])
    result = play(chain(tmp_path, links, "Answer"), models, x="hi")
    assert isinstance(result, Answered)
    told = [request.misfit for request in models.requests]
    assert told[0] is None
    assert "`value`" in (told[1] or "")
    assert "`confidence`" in (told[1] or "")
    assert told[2] is None, "a provider that was busy said nothing that could be wrong"
    assert told[3] is None, "another link has no former answer"


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("text", 5),
        ("text", {"answer": "x"}),
        ("text max 2 tokens", "far too long for two"),
        ("int", {"answer": "5"}),
        ("int", {"answer": True}),
        ("int", 5),
        ("int in 1..10", {"answer": 11}),
        ("bool", {"answer": "yes"}),
        ("probability", {"answer": 1.1}),
        ("Answer", {"value": "x"}),
        ("Answer", {"value": "x", "confidence": 0.5, "more": 1}),
        ("[int] max 2", {"answer": [1, 2, 3]}),
        ("{text: int}", {"answer": {"a": "b"}}),
        ("json", {"answer": float("nan")}),
    ],
)
def test_an_answer_of_another_type_is_a_failed_attempt(
    tmp_path: Path, kind: str, answer: Any
) -> None:
    result = play(chain(tmp_path, "ask say(x) by small", kind), Models(a=answer), x="hi")
    assert isinstance(result, Failed)
    (failed,) = events(result, "failed")
    assert failed.data["why"] == "misfit"


def test_the_tier_is_chosen_before_every_attempt(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        enum Size { little medium much }
        pipeline main(x: text, size: Size) -> text {
          step a: text = ask say(x) by match size { little => small  medium, much => big }
          return a
        }
        """,
    )
    for size, tier in (("little", "small"), ("medium", "big"), ("much", "big")):
        models = Models()
        assert isinstance(play(loaded, models, x="hi", size=size), Answered)
        assert models.requests[0].tier == tier


MATCHED = """
enum Size { little medium much }
tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
pipeline main(x: text, size: Size) -> text {
  step a: text = match size {
      little => ask say("l") by small
      medium => call look(x)
      else   => "much"
    }
    else ask say("last") by big
  return a
}
"""


def test_a_match_over_actions_takes_one_arm(tmp_path: Path) -> None:
    loaded = load(tmp_path, MATCHED)
    looked: list[str] = []

    def look(x: str) -> str:
        looked.append(x)
        return "seen"

    for size, value, calls in (("little", "a", 0), ("medium", "seen", 1), ("much", "much", 1)):
        result = play(loaded, Models(), tools={"look": look}, x="hi", size=size)
        assert isinstance(result, Answered)
        assert (result.value, len(looked)) == (value, calls)
        (route,) = events(result, "route")
        assert route.data["value"] == size


def test_an_arm_has_retries_of_its_own(tmp_path: Path, slept: list[float]) -> None:
    arm = 'ask say("l") by small { retry 2 backoff 1s..8s }'
    loaded = load(tmp_path, MATCHED.replace('ask say("l") by small', arm))
    models = Models(a=[BUSY, BUSY, "third"])
    result = play(loaded, models, tools={"look": str}, x="hi", size="little")
    assert isinstance(result, Answered)
    assert result.value == "third"
    assert len(slept) == 2
    assert len(events(result, "fallback")) == 0


def test_an_arm_that_fails_goes_to_the_next_link(tmp_path: Path) -> None:
    loaded = load(tmp_path, MATCHED)
    models = Models(a=[REFUSED, "spare"])
    result = play(loaded, models, tools={"look": str}, x="hi", size="little")
    assert isinstance(result, Answered)
    assert result.value == "spare"
    assert [request.user for request in models.requests] == ["Say l.", "Say last."]


def test_a_template_that_cannot_be_rendered_goes_to_the_next_link(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        '''
        prompt part(x: [text] max 3) """{{ x[1] }}"""
        pipeline main(x: [text] max 3) -> text {
          step a: text = ask part(x) by small { retry 5 } else "none"
          return a
        }
        ''',
    )
    models = Models()
    result = play(loaded, models, x=["only"])
    assert isinstance(result, Answered)
    assert result.value == "none"
    assert models.requests == []
    assert [e.data["why"] for e in events(result, "failed")] == ["render"]


def test_an_expression_without_value_goes_to_the_next_link(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(x: number) -> number {
          step a = x * x { accuracy 90% } else 7.5 { accuracy 50% }
          return a
        }
        """,
    )
    assert getattr(play(loaded, x=1e200), "value", None) == 7.5
    assert getattr(play(loaded, x=3), "value", None) == 9


def test_an_answer_may_say_what_it_used(tmp_path: Path) -> None:
    answer = ModelAnswer("x", Usage(1000, 100, 50, 30), "m", "a note")
    result = play(chain(tmp_path, "ask say(x) by small"), Models(a=answer), x="hi")
    (event,) = events(result, "answer")
    assert event.data["tokens_in"] == 1080
    assert event.data["tokens_out"] == 100
    assert event.data["note"] == "a note"
    assert result.tokens == 1180
