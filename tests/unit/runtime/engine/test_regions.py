"""Regions and barriers: what runs side by side, what waits, and which of several endings counts."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from pipelang import Answered, Escalated, Failed, Rejected
from pipelang.runtime.providers.protocol import ModelFault

from ..stage import YES, Humans, Models, events, handle, load, play

REFUSED = ModelFault("refusal", "no")


def test_independent_steps_run_side_by_side(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          step a: text = ask say(x) by small
          step b: text = ask say(x) by small
          step c: text = ask say(x) by small
          return c
        }
        """,
    )

    async def main() -> Answered:
        together = asyncio.Barrier(3)  # passed only when all three are in flight

        async def meet(request):
            await together.wait()
            return request.step

        models = Models(a=meet, b=meet, c=meet)
        result = await asyncio.wait_for(handle(loaded, models).run(x="hi"), 60)
        assert isinstance(result, Answered)
        return result

    assert asyncio.run(main()).value == "c"


def test_a_step_starts_as_soon_as_what_it_reads_is_there(tmp_path: Path) -> None:
    """`late` waits for `slow` alone, `early` for `quick` alone: `early` ends while `slow` runs."""
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          step slow: text = ask say(x) by small
          step quick: text = ask say(x) by small
          let copied = quick
          step late: text = ask say(slow) by small
          step early: text = ask say(copied) by small
          return late
        }
        """,
    )
    done = asyncio.Event()

    async def slow(request):
        await done.wait()
        return "slow"

    def early(request):
        done.set()
        return "early"

    models = Models(slow=slow, early=early)
    assert isinstance(play(loaded, models, x="hi"), Answered)
    assert models.log.index("-early") < models.log.index("-slow") < models.log.index("+late")
    assert models.asked("early")[0].user == "Say quick."


def test_the_steps_of_a_route_and_of_a_fallback_wait_too(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        enum Size { little much }
        pipeline main(x: text) -> text {
          step size: Size = ask say(x) by small
          step spare: text = ask say(x) by small
          step a: text = ask say(x) by (match size { little => small  much => big })
            else ask say(spare) by small
          return a
        }
        """,
    )
    models = Models(size={"answer": "much"}, a=[REFUSED, "fine"])
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered)
    assert result.value == "fine"
    assert max(models.log.index("-size"), models.log.index("-spare")) < models.log.index("+a")
    assert [request.tier for request in models.asked("a")] == ["big", "small"]


ENDINGS = """
pipeline main(x: text) -> text {
  step first: text = ask say(x) by small else escalate to boss "one"
  step second: text = ask say(x) by small else reject "two"
  step third: text = ask say(x) by small
  step reads_first: text = ask say(first) by small else fail "dead"
  step reads_third: text = ask say(third) by small
  return reads_third
}
"""


def test_what_does_not_depend_on_an_ended_step_still_finishes(tmp_path: Path) -> None:
    loaded = load(tmp_path, ENDINGS)
    models = Models(first=REFUSED)
    result = play(loaded, models, x="hi")
    assert isinstance(result, Escalated)
    assert result.reason == "first"
    assert models.asked("reads_first") == []
    assert result.handoff["values"] == {
        "second": "second",
        "third": "third",
        "reads_third": "reads_third",
    }


@pytest.mark.parametrize("order", list(itertools.permutations(["first", "second", "third"])))
def test_of_several_endings_the_first_in_writing_order_counts(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    loaded = load(tmp_path, ENDINGS)

    async def main() -> object:
        over = {name: asyncio.Event() for name in order}

        def failing(name: str):
            async def fail(request):
                at = order.index(name)
                if at:
                    await over[order[at - 1]].wait()
                    await asyncio.sleep(0.005)
                over[name].set()
                raise REFUSED

            return fail

        models = Models(**{name: failing(name) for name in order})
        return await asyncio.wait_for(handle(loaded, models).run(x="hi"), 60)

    result = asyncio.run(main())
    assert isinstance(result, Escalated)
    assert (result.reason, result.text) == ("first", "one")


def test_an_ending_without_outcome_is_chain_exhausted(tmp_path: Path) -> None:
    loaded = load(tmp_path, ENDINGS)
    result = play(loaded, Models(third=REFUSED), x="hi")
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("chain_exhausted", "third")
    assert set(result.partial["values"]) == {"first", "second", "reads_first"}


BARRIERS = {
    "gate": 'gate barrier: x == "hi" else reject',
    "approve": "approve barrier by boss else reject",
    "hold": "hold barrier for 1s by boss else reject",
    "when": 'when barrier: x == "hi" { step inside: text = ask say(x) by small }',
    "match": 'match x { "hi" { step inside: text = ask say(x) by small } else { } }',
    "effect": "step barrier = call act(x)",
    "person": "step barrier: text = ask say(x) by boss",
}


@pytest.mark.parametrize("barrier", BARRIERS)
def test_nothing_below_a_barrier_starts_before_it_is_passed(tmp_path: Path, barrier: str) -> None:
    loaded = load(
        tmp_path,
        f"""
        tool act(x: text) {{ effect write latency 1ms median succeeds 99% timeout 2s }}
        pipeline main(x: text) -> text {{
          step above: text = ask say(x) by small
          {BARRIERS[barrier]}
          step below: text = ask say(x) by small
          return below
        }}
        """,
    )
    models = Models()

    async def slow(request):
        await asyncio.sleep(0.02)
        return request.step

    models.scripts |= {"above": slow, "inside": slow}

    def act(x: str) -> None:
        models.log.append("act")

    people = Humans(barrier=YES, boss="fine")
    result = play(loaded, models, people, {"act": act}, x="hi")
    assert isinstance(result, Answered), result
    middle = {"when": ["+inside", "-inside"], "match": ["+inside", "-inside"], "effect": ["act"]}
    assert models.log == ["+above", "-above", *middle.get(barrier, []), "+below", "-below"]
    kinds = [(e.kind, e.name) for e in result.trace]
    assert kinds.index(("answer", "above")) < kinds.index(("step", "below"))
    if barrier in ("approve", "hold", "gate", "when"):
        assert kinds.index((barrier, "barrier")) < kinds.index(("step", "below"))


def test_effects_above_and_below_keep_their_order(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool act(x: text) { effect irreversible latency 1ms median succeeds 99% }
        tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
        pipeline main(x: text) -> text {
          step one = call act("1")
          step two = call act("2")
          step seen = call look(x)
          step three = call act("3")
          return seen
        }
        """,
    )
    log: list[str] = []

    async def act(x: str) -> None:
        await asyncio.sleep(0.02 if x == "1" else 0)
        log.append(x)

    def look(x: str) -> str:
        log.append("look")
        return x

    assert isinstance(play(loaded, tools={"act": act, "look": look}, x="hi"), Answered)
    assert log == ["1", "2", "look", "3"]


def test_an_effect_that_fails_is_not_passed(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool act(x: text) { effect irreversible latency 1ms median succeeds 99% }
        pipeline main(x: text) -> text {
          step one = call act("1") else fail "not_done"
          step below: text = ask say(x) by small
          return below
        }
        """,
    )
    models = Models()

    def act(x: str) -> None:
        raise OSError("down")

    result = play(loaded, models, tools={"act": act}, x="hi")
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("not_done", "one")
    assert models.requests == []


def test_a_branch_that_ends_and_one_that_goes_on(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text, n: int) -> text {
          when any: n > 0 {
            when large: n > 10 { escalate to boss } else { when odd: n == 3 { reject "three" } }
          }
          return x
        }
        """,
    )
    assert isinstance(play(loaded, x="a", n=-1), Answered)
    large = play(loaded, x="a", n=11)
    assert isinstance(large, Escalated)
    assert large.reason == "large"
    three = play(loaded, x="a", n=3)
    assert isinstance(three, Rejected)
    assert three.reason == "odd"
    one = play(loaded, x="a", n=1)
    assert isinstance(one, Answered)
    assert [e.data["holds"] for e in events(one, "when")] == [True, False, False]


def test_what_finished_together_with_a_spent_budget_is_in_the_handoff(tmp_path: Path) -> None:
    """Both are done in one tick; that `a` cannot be paid must not lose what `b` found."""
    loaded = load(
        tmp_path,
        """
        tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
        pipeline main(x: text) -> text {
          budget 1 steps, 1M tokens else escalate to boss
          step a: text = ask say(x) by small
          step b = call look(x)
          return a
        }
        """,
    )
    looked = asyncio.Event()

    class Counting(Models):
        async def count_tokens(self, request):
            await looked.wait()
            return 3

    async def look(x: str) -> str:
        await asyncio.sleep(0.01)
        looked.set()
        return "seen"

    result = play(loaded, Counting(), tools={"look": look}, x="hi")
    assert isinstance(result, Escalated)
    assert result.reason == "budget"
    assert result.handoff["values"] == {"b": "seen"}
