"""Sampled answers: which runs are drawn, what people see, and which verdicts count."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelang import Case, Inbox, Refused, Runtime
from pipelang.runtime.engine.sampling import drawn
from pipelang.runtime.host.handle import Handle

from ..stage import Models, load

SURE = {"value": "yes", "confidence": 0.9}
ROLES = """
role labellers { people 2 handles 2m must_differ_from boss }
role experts { people 1 handles 2m weight 3 rushed 20s cost $40 }
"""


def ready(folder: Path, inbox: Inbox, body: str, head: str = "", **models: Any) -> Handle:
    text = f"{ROLES}{head}\npipeline main(x: text) -> text {{\n{body}\n  return x\n}}\n"
    runtime = Runtime(providers={"lab": Models(**models)}, people=inbox)
    return load(folder, text).pipeline("main", runtime=runtime)


KIND = "step kind: Answer = ask say(x) by small"


def cases_of(handle: Handle, inbox: Inbox, runs: int = 1) -> tuple[Case, ...]:
    async def main() -> None:
        for number in range(runs):
            await handle.run(x=f"{number}")

    asyncio.run(main())
    return inbox.cases()


def test_draws_are_uniform_and_those_of_smaller_shares_are_among_the_larger() -> None:
    draws = [drawn(f"run-{number}") for number in range(20_000)]
    for share in (0.01, 0.05, 0.5):
        hits = sum(draw < share for draw in draws)
        assert abs(hits - 20_000 * share) < 5 * (20_000 * share) ** 0.5
    assert drawn("run-1") == drawn("run-1")


def test_a_sampled_answer_waits_for_a_verdict_and_the_run_does_not(tmp_path: Path) -> None:
    inbox = Inbox()
    body = f'sample 100% of kind by labellers\n{KIND} else fail "no"'
    (case,) = cases_of(ready(tmp_path, inbox, body, kind=SURE), inbox)
    assert (case.kind, case.name, case.role, case.state) == ("label", "kind", "labellers", "open")
    assert case.shown == {"input": {"x": "0"}, "answer": SURE}
    assert case.about is not None
    assert (case.about["tier"], case.about["model"], case.about["confidence"]) == (
        "small",
        "s",
        0.9,
    )


def test_all_steps_of_a_run_are_drawn_together(tmp_path: Path) -> None:
    inbox = Inbox()
    body = (
        "sample 30% of kind, other by labellers\nsample 10% of kind by experts\n"
        f'{KIND} else fail "no"\nstep other: Answer = ask say(kind.value) by big else fail "no"'
    )
    cases = cases_of(ready(tmp_path, inbox, body, kind=SURE, other=SURE), inbox, runs=120)
    seen: dict[str, set[tuple[str, str]]] = {}
    for case in cases:
        seen.setdefault(case.run_id, set()).add((case.name, case.role))
    assert 10 < len(seen) < 70
    both = {("kind", "labellers"), ("other", "labellers")}
    for run, found in seen.items():
        assert found == (both | {("kind", "experts")} if drawn(run) < 0.1 else both)


def test_which_answer_of_which_model_it_was(tmp_path: Path) -> None:
    """A fallback has its own prompt; what a cascade or a vote chose says nothing of one model."""
    inbox = Inbox()
    body = (
        "sample 100% of a, b, c by labellers\n"
        'step a: Answer = ask say(x) by small else ask join(x, "b") by big else fail "no"\n'
        "step b: Answer = ask say(x) by cascade(small, big) until it.confidence > 50% "
        'else fail "no"\n'
        'step c: Answer = ask say(x) by small { vote 3 } else fail "no"'
    )
    wrong = [ValueError("down"), SURE]
    cases = cases_of(ready(tmp_path, inbox, body, a=wrong, b=SURE, c=SURE), inbox)
    about = {case.name: case.about or {} for case in cases}
    assert about["a"]["tier"] == "big"
    assert about["b"]["prompt"] is None
    assert about["b"]["by"] == "model"
    assert about["c"]["prompt"] is None


def test_every_answer_that_a_gate_sends_back_is_a_case_of_its_own(tmp_path: Path) -> None:
    inbox = Inbox()
    body = (
        f'sample 100% of kind by labellers\n{KIND} else fail "no"\n'
        'gate sure: kind.confidence > 50% else redo kind up to 2 else fail "unsure"'
    )
    unsure = {"value": "no", "confidence": 0.1}
    cases = cases_of(ready(tmp_path, inbox, body, kind=[unsure, SURE]), inbox)
    visits = {(case.about or {})["visit"]: case.shown["answer"] for case in cases}
    assert visits == {0: unsure, 1: SURE}


def test_a_sample_of_a_sub_pipeline_holds_where_it_is_run(tmp_path: Path) -> None:
    inbox = Inbox()
    head = (
        "pipeline inner(x: text) -> text {\n  sample 100% of kind by labellers\n"
        f'{KIND} else fail "no"\n  return kind.value\n}}'
    )
    (case,) = cases_of(
        ready(tmp_path, inbox, 'step c = run inner(x) else fail "no"', head, kind=SURE), inbox
    )
    assert (case.name, (case.about or {})["pipeline"]) == ("c/kind", "inner")


EACH = (
    'step kinds: [Answer] = each one in [x, "b"] { ask say(one) by small } else [{value: "none", '
    "confidence: 0%}]"
)


def test_every_element_of_a_list_is_judged_for_itself(tmp_path: Path) -> None:
    """With what was asked of it, its tier and its own type: side by side none is mixed up."""
    inbox = Inbox()
    body = f"sample 100% of kinds by labellers\n{EACH}"
    sure = {"value": "no", "confidence": 0.3}
    cases = cases_of(ready(tmp_path, inbox, body, kinds=[SURE, sure]), inbox)
    assert [case.name for case in cases] == ["kinds[0]", "kinds[1]"]
    assert [case.shown["input"] for case in cases] == [{"x": "0"}, {"x": "b"}]
    assert sorted(case.shown["answer"]["value"] for case in cases) == ["no", "yes"]
    for case in cases:
        assert case.about is not None
        assert (case.about["step"], case.about["tier"], case.about["model"]) == (
            "kinds",
            "small",
            "s",
        )
        assert case.about["path"] == f"{case.name}/"
        assert case.about["confidence"] == case.shown["answer"]["confidence"]
    asyncio.run(
        inbox.label(cases[0].id, right=False, answer={"value": "z", "confidence": 1}, by="ada")
    )
    with pytest.raises(Refused, match="does not fit"):
        asyncio.run(inbox.label(cases[1].id, right=False, answer=[], by="ada"))


def test_a_list_that_stands_in_is_judged_by_elements_too(tmp_path: Path) -> None:
    """It is no answer of the model that failed."""
    inbox = Inbox()
    body = f"sample 100% of kinds by labellers\n{EACH}"
    down = ValueError("down")
    (case,) = cases_of(ready(tmp_path, inbox, body, kinds=[down, down]), inbox)
    assert (case.name, case.shown["answer"]["value"]) == ("kinds[0]", "none")
    assert case.about is not None
    assert (case.about["prompt"], case.about["by"]) == (None, "other")


def test_who_runs_a_pipeline_may_sample_its_steps(tmp_path: Path) -> None:
    """However deep it runs, in each element; of one role the larger share holds."""
    inbox = Inbox()
    head = (
        "pipeline inner(x: text) -> text {\n  sample 1% of kind by labellers\n"
        f'{KIND} else fail "no"\n  return kind.value\n}}\n'
        'pipeline middle(x: text) -> text {\n  step in_ = run inner(x) else fail "no"\n'
        "  return in_\n}"
    )
    body = (
        "sample 100% of inner.kind by labellers\n"
        'step all = each one in [x, "b"] { run middle(one) } else fail "no"'
    )
    cases = cases_of(ready(tmp_path, inbox, body, head, kind=SURE), inbox)
    assert [case.name for case in cases] == ["all[0]/all/in_/kind", "all[1]/all/in_/kind"]
    assert {(case.about or {})["share"] for case in cases} == {1.0}
    assert {(case.about or {})["pipeline"] for case in cases} == {"inner"}


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    inbox = Inbox()
    body = f'sample 100% of kind by labellers\n{KIND} else fail "no"'
    text = f"{ROLES}\npipeline main(x: secret text) -> text {{\n{body}\n  return kind.value\n}}\n"
    runtime = Runtime(providers={"lab": Models(kind=SURE)}, people=inbox)
    handle = load(tmp_path, text).pipeline("main", runtime=runtime)
    asyncio.run(handle.run(x="hunter2hunter2"))
    (case,) = inbox.cases()
    assert "hunter2" not in repr(case)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(params=["memory", "folder"])
def judged(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Inbox, Case, Clock]:
    clock = Clock()
    folder = None if request.param == "memory" else tmp_path / "inbox"
    inbox = Inbox(folder, clock=clock)
    body = f'sample 100% of kind by labellers\n{KIND} else fail "no"'
    (case,) = cases_of(ready(tmp_path, inbox, body, kind=SURE), inbox)
    return inbox, case, clock


def test_a_verdict_says_how_sure_and_how_long(judged: tuple[Inbox, Case, Clock]) -> None:
    inbox, case, clock = judged
    asyncio.run(inbox.look(case.id, "Ada"))
    clock.pass_by(30)
    asyncio.run(inbox.look(case.id, "ada"))  # the first look counts
    clock.pass_by(15)
    closed = asyncio.run(inbox.label(case.id, right=True, by="ada", sure=0.8))
    assert closed.verdict is not None
    assert (closed.verdict.yes, closed.verdict.sure, closed.verdict.seconds) == (True, 0.8, 45.0)
    again = inbox.cases(closed=True)[0]
    assert again.verdict == closed.verdict


def test_a_wrong_answer_is_corrected_by_one_that_fits(judged: tuple[Inbox, Case, Clock]) -> None:
    inbox, case, _ = judged
    with pytest.raises(Refused, match="corrected answer does not fit"):
        asyncio.run(inbox.label(case.id, right=False, by="ada", answer={"value": 3}))
    with pytest.raises(Refused, match="is the one that was given"):
        asyncio.run(inbox.label(case.id, right=False, by="ada", answer=case.shown["answer"]))
    with pytest.raises(Refused, match="between 0% and 100%"):
        asyncio.run(inbox.label(case.id, right=True, by="ada", sure=1.2))
    asyncio.run(inbox.answer(case.id, {"value": "no", "confidence": 1}, by="ada"))
    found = inbox.case(case.id)
    assert found.verdict is not None
    assert (found.verdict.yes, found.verdict.answer) == (False, {"value": "no", "confidence": 1})
    assert found.verdict.seconds is None  # nobody knows: ada never looked
    with pytest.raises(Refused, match="already decided"):
        asyncio.run(inbox.decide(case.id, yes=True, by="bob"))


def test_who_gave_an_answer_does_not_judge_it(tmp_path: Path) -> None:
    inbox = Inbox()
    body = (
        "sample 100% of kind by experts\n"
        'step kind: Answer = ask say(x) by small else ask say(x) by boss else fail "no"'
    )
    handle = ready(tmp_path, inbox, body, kind=ValueError("down"))

    async def main() -> Case:
        running = asyncio.ensure_future(handle.run(x="1"))
        while not inbox.cases():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await inbox.answer(inbox.cases()[0].id, SURE, by="ada")
        await running
        (case,) = inbox.cases()
        with pytest.raises(Refused, match="gave this answer"):
            await inbox.label(case.id, right=True, by="Ada")
        return await inbox.label(case.id, right=True, by="bob")

    assert asyncio.run(main()).state == "decided"


def test_tests_ask_nobody(tmp_path: Path) -> None:
    from pipelang.runtime.host.pipeline_tests import run_test

    body = f'sample 100% of kind by labellers\n{KIND} else fail "no"'
    text = (
        f"{ROLES}\npipeline main(x: text) -> text {{\n{body}\n  return x\n}}\n"
        'test "one" { given main(x: "a") mock kind = {value: "b", confidence: 90%} '
        "expect answered }\n"
    )
    loaded = load(tmp_path, text)
    (test,) = loaded.program.tests
    assert asyncio.run(run_test(loaded, test)).misses == ()
