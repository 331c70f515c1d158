"""Gates and redos: what runs again, what keeps its verdict, and that counters never reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelang import Answered, Escalated, Failed
from pipelang.runtime.providers.protocol import ModelFault

from ..stage import Models, events, load, play


def gates(result: Any) -> list[tuple[str, bool]]:
    return [(e.name, e.data["passed"]) for e in events(result, "gate")]


def sure(*confidences: float) -> list[dict[str, Any]]:
    return [{"value": f"v{n}", "confidence": c} for n, c in enumerate(confidences)]


GATE = """
pipeline main(x: text) -> text {
  step a: Answer = ask say(x) by small
  ## The answer must be certain.
  gate good: a.confidence >= 85% else redo a up to 2 WHY else escalate to boss "unsure"
  return a.value
}
"""


def test_the_feedback_is_the_gates_name_and_doc(tmp_path: Path) -> None:
    models = Models(a=sure(0.1, 0.9))
    result = play(load(tmp_path, GATE.replace("WHY", "")), models, x="hi")
    assert isinstance(result, Answered)
    said = [request.user for request in models.requests]
    assert said == ["Say hi.", "Say hi. Mind: good: The answer must be certain."]


def test_the_feedback_is_the_because_text(tmp_path: Path) -> None:
    models = Models(a=sure(0.1, 0.2, 0.9))
    result = play(load(tmp_path, GATE.replace("WHY", "because a.value")), models, x="hi")
    assert isinstance(result, Answered)
    said = [request.user for request in models.requests]
    assert said == ["Say hi.", "Say hi. Mind: v0", "Say hi. Mind: v1"]


def test_long_feedback_is_shortened_to_what_the_analysis_counts(tmp_path: Path) -> None:
    text = GATE.replace("WHY", "because x")
    models = Models(a=sure(0.1, 0.9))
    play(load(tmp_path, text), models, x="ä" * 1000)
    feedback = models.requests[1].user.partition("Mind: ")[2]
    assert feedback == "ä" * 300


def test_a_redo_that_is_used_up_takes_the_outcome(tmp_path: Path) -> None:
    models = Models(a=sure(0.1))
    result = play(load(tmp_path, GATE.replace("WHY", "")), models, x="hi")
    assert isinstance(result, Escalated)
    assert (result.reason, result.text) == ("good", "unsure")
    assert len(models.requests) == 3
    assert gates(result) == [("good", False)] * 3
    assert result.handoff["values"]["a"]["value"] == "v0"


def test_exactly_at_the_threshold_a_gate_holds(tmp_path: Path) -> None:
    models = Models(a=sure(0.85))
    assert isinstance(play(load(tmp_path, GATE.replace("WHY", "")), models, x="hi"), Answered)


def test_a_redone_chain_that_is_used_up_ends_the_run(tmp_path: Path) -> None:
    models = Models(a=[*sure(0.1), ModelFault("refusal", "no")])
    result = play(load(tmp_path, GATE.replace("WHY", "")), models, x="hi")
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("chain_exhausted", "a")


def test_a_redo_starts_at_the_head_of_the_chain(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          step a: Answer = ask say(x) by small else ask say(x) by big
          gate good: a.confidence >= 85% else redo a up to 1 else escalate to boss
          return a.value
        }
        """,
    )
    busy = ModelFault("overloaded", "busy")
    models = Models(a=[busy, *sure(0.1), *sure(0, 0.9)[1:]])
    assert isinstance(play(loaded, models, x="hi"), Answered)
    assert [request.tier for request in models.requests] == ["small", "big", "small"]


def test_a_hundred_redos(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool draw(x: int) -> int { effect read latency 1ms median succeeds 99% }
        pipeline main(x: int) -> int {
          step n = call draw(x)
          gate large: n > 99 else redo n up to 100 else reject
          return n
        }
        """,
    )
    drawn = iter(range(10_000))

    async def draw(x: int) -> int:
        return next(drawn)

    result = play(loaded, tools={"draw": draw}, x=1)
    assert isinstance(result, Answered)
    assert result.value == 100


BETWEEN = """
pipeline main(x: text) -> text {
  step a: Answer = ask say(x) by small
  step b: Answer = ask say(a.value) by small
  step other: Answer = ask say(x) by small
  gate reads_b: b.confidence >= 10% else reject
  gate reads_other: other.confidence >= 10% else reject
  let both = b.value
  step c: Answer = ask join(both, other.value) by small
  gate last: c.confidence >= 85% else redo a up to 1 else escalate to boss
  return c.value
}
"""


def test_what_reads_the_redone_step_runs_again_and_nothing_else(tmp_path: Path) -> None:
    models = Models(a=sure(0.5, 0.6), b=sure(0.5, 0.6), other=sure(0.5), c=sure(0.1, 0.9))
    result = play(load(tmp_path, BETWEEN), models, x="hi")
    assert isinstance(result, Answered)
    steps = [request.step for request in models.requests]
    assert sorted(steps[:3]) == ["a", "b", "other"]
    assert steps[3:] == ["c", "a", "b", "c"]
    assert models.asked("c")[1].user == "v1+v0"
    assert gates(result) == [
        ("reads_b", True),
        ("reads_other", True),
        ("last", False),
        ("reads_b", True),
        ("last", True),
    ]


def test_a_gate_in_between_is_judged_again_and_may_end_the_run(tmp_path: Path) -> None:
    models = Models(a=sure(0.5, 0.6), b=sure(0.5, 0.05), other=sure(0.5), c=sure(0.1, 0.9))
    result = play(load(tmp_path, BETWEEN), models, x="hi")
    assert getattr(result, "reason", None) == "reads_b"


NESTED = """
pipeline main(x: text) -> text {
  step a: Answer = ask say(x) by small
  step b: Answer = ask say(a.value) by small
  gate inner: b.confidence >= 50% else redo b up to 2 else escalate to boss
  step c: Answer = ask say(b.value) by small
  gate outer: c.confidence >= 50% else redo a up to 2 else escalate to boss
  return c.value
}
"""


def test_the_counter_of_an_inner_redo_never_resets(tmp_path: Path) -> None:
    low, high = sure(0.1), sure(0.9)
    models = Models(a=high, b=[*low, *low, *high, *low], c=low)
    result = play(load(tmp_path, NESTED), models, x="hi")
    assert isinstance(result, Escalated)
    # b twice redone before c; then outer sends a back, b fails and `inner` has no redo left.
    assert result.reason == "inner"
    assert [request.step for request in models.requests] == ["a", "b", "b", "b", "c", "a", "b"]


def test_inner_redos_run_inside_an_outer_one(tmp_path: Path) -> None:
    low, high = sure(0.1), sure(0.9)
    models = Models(a=high, b=[*high, *low, *high], c=[*low, *high])
    result = play(load(tmp_path, NESTED), models, x="hi")
    assert isinstance(result, Answered)
    assert [request.step for request in models.requests] == ["a", "b", "c", "a", "b", "b", "c"]


def confident(*levels: float) -> list[dict[str, Any]]:
    return [{"value": f"v{n}", "confidence": level} for n, level in enumerate(levels, 1)]


def test_what_reads_a_value_that_an_inner_redo_changed_runs_again(tmp_path: Path) -> None:
    """Redoing `a` makes `g0` redo `z`, which the redo of `a` did not have in mind."""
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          step z: Answer = ask say(x) by small
          step a: Answer = ask say(x) by small
          gate g0: a.confidence <= z.confidence else redo z up to 3 else reject
          step copied: text = ask say(z.value) by small
          step c: Answer = ask say(a.value) by small
          gate g1: c.confidence >= 50% and copied != "" else redo a up to 3 else reject
          return copied
        }
        """,
    )
    models = Models(
        z=confident(0.5, 0.9),
        a=confident(0.5, 0.9),
        copied=lambda request: request.user,
        c=confident(0.1, 0.9),
    )
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered), result
    assert result.value == "Say v2."


def test_what_reads_a_value_that_a_redo_in_a_redo_changed_runs_again(tmp_path: Path) -> None:
    """Redoing `a` gives a bad `b`; `g1` redoes `b`, which makes `g0` redo `z`."""
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          step z: Answer = ask say(x) by small
          step a: Answer = ask say(x) by small
          step b: Answer = ask say(a.value) by small
          gate g0: b.confidence <= z.confidence else redo z up to 3 else reject
          gate g1: b.confidence >= 50% else redo b up to 3 else reject
          step copied: text = ask say(z.value) by small
          step c: Answer = ask say(a.value) by small
          gate g2: c.confidence >= 50% and copied != "" else redo a up to 3 else reject
          return copied
        }
        """,
    )
    models = Models(
        z=confident(0.5, 0.9),
        a=confident(0.9),
        b=confident(0.5, 0.1, 0.9),
        copied=lambda request: request.user,
        c=confident(0.1, 0.9),
    )
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered), result
    assert result.value == "Say v2."


def test_feedback_is_for_the_step_that_is_redone_and_only_once(tmp_path: Path) -> None:
    """`a` runs again because `z` was redone: nobody found fault with `a` this time."""
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          step z: Answer = ask say(x) by small
          step a: Answer = ask say(z.value) by small
          gate g0: a.confidence >= 50% else redo a up to 1 because "first" else reject
          gate g1: a.confidence >= 80% else redo z up to 1 because "second" else reject
          return a.value
        }
        """,
    )
    models = Models(z=confident(0.9), a=confident(0.1, 0.5, 0.9))
    assert isinstance(play(loaded, models, x="hi"), Answered)
    said = [request.user.partition(" Mind: ")[2] for request in models.requests]
    assert [request.step for request in models.requests] == ["z", "a", "a", "z", "a"]
    assert said == ["", "", "first", "second", ""]


def test_a_redo_may_go_back_above_the_step_that_an_outer_one_redoes(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          step z: Answer = ask say(x) by small
          step a: Answer = ask say(z.value) by small
          gate g0: a.confidence >= 50% else redo z up to 3 else reject
          step c: Answer = ask say(a.value) by small
          gate g1: c.confidence >= 50% else redo a up to 3 else reject
          return c.value
        }
        """,
    )
    models = Models(z=confident(0.9), a=confident(0.9, 0.1, 0.9), c=confident(0.1, 0.9))
    assert isinstance(play(loaded, models, x="hi"), Answered)
    steps = [request.step for request in models.requests]
    assert steps == ["z", "a", "c", "a", "z", "a", "c"]
