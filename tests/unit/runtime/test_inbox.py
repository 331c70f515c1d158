"""The inbox: every question waits as a case of its own and is decided once, by whom it may be."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Case, Escalated, Failed, Inbox, Refused, Runtime
from pipelang.runtime.embedding import Handle
from pipelang.runtime.inbox.cases import case_from, case_json
from pipelang.runtime.inbox.memory import InMemoryCases
from pipelang.runtime.outcomes import Result

from .stage import Models, events, left_over, load

REPO = Path(__file__).resolve().parents[3]
ROLES = "role clerk { people 2 must_differ_from boss }\n"


@pytest.fixture(params=["memory", "folder"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Inbox:
    return Inbox() if request.param == "memory" else Inbox(tmp_path / "inbox")


def ready(folder: Path, inbox: Inbox, body: str, head: str = "", **models: Any) -> Handle:
    text = f"{ROLES}{head}\npipeline main(x: text) -> text {{\n{body}\n  return x\n}}\n"
    runtime = Runtime(providers={"lab": Models(**models)}, people=inbox)
    return load(folder, text).pipeline("main", runtime=runtime)


APPROVE = 'approve ok by boss else escalate to boss "stopped"'


async def opened(inbox: Inbox, count: int = 1) -> tuple[Case, ...]:
    """The open cases, as soon as there are so many."""
    async with asyncio.timeout(10):
        while len(found := inbox.cases()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


def with_people(
    handle: Handle, inbox: Inbox, act: Callable[[Case], Awaitable[Any]], **inputs: Any
) -> Result:
    """A run whose first case these people act on."""

    async def main() -> Result:
        running = asyncio.ensure_future(handle.run(**(inputs or {"x": "hi"})))
        (case,) = await opened(inbox)
        await act(case)
        result = await asyncio.wait_for(running, 10)
        assert left_over() == []
        return result

    return asyncio.run(main())


# ------------------------------------------------------------------------------- what it holds


def test_an_approval_is_a_case_with_all_that_a_person_needs(tmp_path: Path, inbox: Inbox) -> None:
    body = f"step a: text = ask say(x) by small\n  ## May it go out?\n  {APPROVE}"
    handle = ready(tmp_path, inbox, body.replace(" else", " within 1h showing a else"))
    seen: list[Case] = []

    async def yes(case: Case) -> None:
        seen.append(case)
        await inbox.decide(case.id, yes=True, by="ada", reason="fine")

    result = with_people(handle, inbox, yes)
    assert isinstance(result, Answered)
    (case,) = seen
    assert (case.kind, case.name, case.role, case.pipeline) == ("approve", "ok", "boss", "main")
    assert (case.run_id, case.tenant, case.state) == (result.run_id, None, "open")
    assert (case.text, case.shown) == ("May it go out?", "a")
    assert case.due_at is not None
    assert case.due_at - case.opened_at == timedelta(hours=1)
    assert case.opened_at.utcoffset() == timedelta(0)
    closed = inbox.case(case.id)
    assert closed.state == "decided"
    assert closed.verdict is not None
    assert (closed.verdict.by, closed.verdict.reason, closed.verdict.yes) == ("ada", "fine", True)
    assert closed.verdict.at is not None
    assert case.opened_at <= closed.verdict.at <= datetime.now(UTC)
    (event,) = events(result, "approve")
    assert (event.data["by"], event.data["reason"]) == ("ada", "fine")


def test_a_case_survives_json(tmp_path: Path, inbox: Inbox) -> None:
    handle = ready(tmp_path, inbox, APPROVE)
    kept: list[Case] = []

    async def no(case: Case) -> None:
        kept.append(await inbox.decide(case.id[:9], yes=False, by="ada"))

    with_people(handle, inbox, no)
    (case,) = kept
    assert case_from(json.dumps(case_json(case)).encode()) == case
    assert str(case_json(case)["opened_at"]).endswith("Z")


def test_no_stops_and_a_hold_is_vetoed_or_let_go(tmp_path: Path, inbox: Inbox) -> None:
    hold = 'hold veto for 1d by boss else escalate to boss "stopped"'
    for body, yes, ends in (
        (APPROVE, False, Escalated),
        (hold, False, Escalated),
        (hold, True, Answered),
    ):

        async def say(case: Case, yes: bool = yes) -> None:
            await inbox.decide(case.id, yes=yes, by="ada")

        result = with_people(ready(tmp_path, inbox, body), inbox, say)
        assert isinstance(result, ends)
        for case in inbox.cases():  # what was handed over
            asyncio.run(inbox.decide(case.id, yes=True, by="bob", reason="seen to"))


def test_an_ask_is_answered_once_it_fits(tmp_path: Path, inbox: Inbox) -> None:
    body = 'step a: Answer = ask say(x) by boss { timeout 1h } else fail "nobody"'
    handle = ready(tmp_path, inbox, body)

    async def answer(case: Case) -> None:
        assert (case.kind, case.name, case.prompt) == ("ask", "a", "Say hi.")
        for wrong, words in (
            ({"value": "fine"}, "`confidence`: is missing"),
            ({"value": 3, "confidence": 0.5}, "`value`: expected a text, found a whole number"),
            ({"value": "fine", "confidence": 1.5}, "`confidence`: 1.5 is out of range"),
            ({"value": "x" * 400, "confidence": 1}, "`value`: text of 134 tokens, at most 100"),
            ({"value": "", "confidence": 1, "b": 1}, "there is no field `b`"),
            ({"value": "\ud800", "confidence": 1}, "valid Unicode"),
            (None, "expected an object, found null"),
        ):
            with pytest.raises(Refused, match=words):
                await inbox.answer(case.id, wrong, by="ada")
        with pytest.raises(Refused, match="wants an answer"):
            await inbox.decide(case.id, yes=True, by="ada")
        assert inbox.case(case.id).state == "open"
        await inbox.answer(case.id, {"value": "fine", "confidence": 0.5}, by="ada")

    result = with_people(handle, inbox, answer)
    assert isinstance(result, Answered)
    (event,) = events(result, "answer")
    assert event.data == {"role": "boss", "by": "ada"}
    assert event.content == {"value": "fine", "confidence": 0.5}


def test_an_ask_may_be_declined(tmp_path: Path, inbox: Inbox) -> None:
    body = """
      when x == "hi" {
        step a: text = ask say(x) by boss { retry 3 } else "nobody knows"
        return a
      }
    """
    handle = ready(tmp_path, inbox, body)

    async def decline(case: Case) -> None:
        await inbox.decide(case.id, yes=False, by="ada", reason="not mine")

    result = with_people(handle, inbox, decline)
    assert isinstance(result, Answered)
    assert result.value == "nobody knows"
    (event,) = events(result, "failed")
    assert event.data["why"] == "declined"
    assert event.data["message"] == "`ada` would not answer: not mine"


# ----------------------------------------------------------------------------------- only once


def test_the_second_answer_is_refused_and_told_who_was_first(tmp_path: Path, inbox: Inbox) -> None:
    async def twice(case: Case) -> None:
        await inbox.decide(case.id, yes=False, by="ada")
        with pytest.raises(Refused, match=r"already decided: `ada` said no at \d{4}-.* UTC"):
            await inbox.decide(case.id, yes=True, by="bob")

    result = with_people(ready(tmp_path, inbox, APPROVE), inbox, twice)
    assert isinstance(result, Escalated)


def test_of_many_at_once_one_counts(tmp_path: Path, inbox: Inbox) -> None:
    async def crowd(case: Case) -> None:
        said = await asyncio.gather(
            *(inbox.decide(case.id, yes=i % 2 == 0, by=f"p{i}") for i in range(20)),
            return_exceptions=True,
        )
        taken = [one for one in said if isinstance(one, Case)]
        assert len(taken) == 1
        assert all(isinstance(one, (Case, Refused)) for one in said)
        assert inbox.case(case.id).verdict == taken[0].verdict

    with_people(ready(tmp_path, inbox, APPROVE), inbox, crowd)


def test_who_decides_must_be_named(tmp_path: Path, inbox: Inbox) -> None:
    async def nameless(case: Case) -> None:
        with pytest.raises(Refused, match="must be named"):
            await inbox.decide(case.id, yes=True, by="  ")
        with pytest.raises(Refused, match="wants a yes or a no"):
            await inbox.answer(case.id, "yes", by="ada")
        await inbox.decide(case.id, yes=True, by="ada")

    assert isinstance(with_people(ready(tmp_path, inbox, APPROVE), inbox, nameless), Answered)


def test_ids_may_be_short_while_they_are_unique(inbox: Inbox) -> None:
    async def main() -> None:
        for _ in range(40):
            await inbox.file(escalation())
        cases = inbox.cases()
        for case in cases:
            assert inbox.case(case.id) == case
        with pytest.raises(Refused, match="there is no case"):
            inbox.case("zz")
        with pytest.raises(Refused, match="there is no case"):
            inbox.case("")
        shared = next(c.id[0] for c in cases if sum(o.id[0] == c.id[0] for o in cases) > 1)
        with pytest.raises(Refused, match="could be any of"):
            inbox.case(shared)

    asyncio.run(main())


def question(run_id: str = "r", kind: Any = "approve", case_id: str = "") -> Case:
    now = datetime.now(UTC)
    return Case(
        id=case_id, run_id=run_id, pipeline="p", kind=kind, name="ok", role="boss", opened_at=now
    )


def escalation() -> Case:
    return question(kind="escalation")


# ------------------------------------------------------------------------------------ too late


def test_after_its_time_a_case_takes_no_answer(tmp_path: Path, inbox: Inbox) -> None:
    body = 'approve ok by boss within 50ms else escalate to boss "stopped"'
    seen: list[str] = []

    async def wait(case: Case) -> None:
        seen.append(case.id)
        await asyncio.sleep(0.2)

    result = with_people(ready(tmp_path, inbox, body), inbox, wait)
    assert isinstance(result, Escalated)
    assert events(result, "approve")[0].data["answered"] is False
    assert inbox.case(seen[0]).state == "expired"
    with pytest.raises(Refused, match=r"was expired at .*: its time ran out"):
        asyncio.run(inbox.decide(seen[0], yes=True, by="ada"))


def test_the_time_counts_even_where_nobody_is_there_to_close_the_case(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 21, 9, 0, tzinfo=UTC)]
    inbox = Inbox(tmp_path / "inbox", clock=lambda: now[0])

    async def main() -> None:
        waiting = asyncio.ensure_future(inbox.wait(question(), 3600))
        (case,) = await opened(inbox)
        assert case.due_at == now[0] + timedelta(hours=1)
        now[0] += timedelta(hours=1)
        assert inbox.cases() == ()
        with pytest.raises(Refused, match="expired at 2026-11-21 10:00:00 UTC"):
            await inbox.decide(case.id, yes=True, by="ada")
        assert (await asyncio.wait_for(waiting, 5)).state == "expired"

    asyncio.run(main())


def test_what_was_accepted_counts_and_what_was_refused_does_not(
    tmp_path: Path, inbox: Inbox
) -> None:
    """Answers that arrive just as the time runs out: the run and who answered agree."""
    handle = ready(tmp_path, inbox, 'approve ok by boss within 150ms else fail "no"')
    pick = random.Random(3)

    async def decide(case: Case) -> bool:
        assert case.due_at is not None
        left = (case.due_at - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, left + pick.uniform(-0.04, 0.04)))
        try:
            await inbox.decide(case.id, yes=True, by="ada")
        except Refused:
            return False
        return True

    async def main() -> None:
        seen: dict[str, asyncio.Task[bool]] = {}
        running = [asyncio.ensure_future(handle.run(x="hi")) for _ in range(40)]
        while len(seen) < 40:
            for case in inbox.cases(closed=True):
                if case.run_id not in seen:
                    seen[case.run_id] = asyncio.ensure_future(decide(case))
            await asyncio.sleep(0.005)
        for result in await asyncio.gather(*running):
            assert isinstance(result, Answered) == await seen[result.run_id]

    asyncio.run(main())


def test_a_run_that_is_cancelled_withdraws_its_cases(tmp_path: Path, inbox: Inbox) -> None:
    handle = ready(tmp_path, inbox, APPROVE)

    async def main() -> None:
        running = asyncio.ensure_future(handle.run(x="hi"))
        (case,) = await opened(inbox)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert left_over() == []
        assert inbox.cases() == ()
        assert inbox.case(case.id).state == "withdrawn"
        with pytest.raises(Refused, match=r"was withdrawn at .*: the run stopped waiting"):
            await inbox.decide(case.id, yes=True, by="ada")

    asyncio.run(main())


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.003, 0.01])
def test_a_run_that_is_cancelled_while_it_opens_a_case_leaves_none_open(
    tmp_path: Path, inbox: Inbox, pause: float
) -> None:
    handle = ready(tmp_path, inbox, APPROVE)

    async def main() -> None:
        running = [asyncio.ensure_future(handle.run(x="hi")) for _ in range(20)]
        await asyncio.sleep(pause)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        assert inbox.cases() == ()
        assert left_over() == []

    asyncio.run(main())


def test_cases_can_be_withdrawn_from_outside(tmp_path: Path, inbox: Inbox) -> None:
    async def kill(case: Case) -> None:
        await inbox.withdraw(case.run_id, "the run was killed")
        with pytest.raises(Refused, match="the run was killed"):
            await inbox.decide(case.id, yes=True, by="ada")

    assert isinstance(with_people(ready(tmp_path, inbox, APPROVE), inbox, kill), Escalated)


def test_a_loop_that_was_left_waits_for_nobody(inbox: Inbox) -> None:
    loop = asyncio.new_event_loop()
    task = loop.create_task(inbox.wait(question(), None))
    (case,) = loop.run_until_complete(opened(inbox))
    loop.close()
    assert inbox.cases() == ()
    with pytest.raises(Refused, match="the run that waited is gone"):
        asyncio.run(inbox.decide(case.id, yes=True, by="ada"))
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_what_a_killed_process_waited_for_takes_no_answer(tmp_path: Path) -> None:
    """kill -9: nothing of the run is left that could withdraw its case."""
    folder = tmp_path / "inbox"
    code = f"""
import asyncio, sys
from datetime import UTC, datetime
from pipelang import Inbox, Case
case = Case(id="", run_id="r", pipeline="p", kind="approve", name="ok", role="boss",
            opened_at=datetime.now(UTC))
asyncio.run(Inbox({str(folder)!r}, listeners=[lambda c: print(c.id, flush=True)]).wait(case, None))
"""
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        case_id = process.stdout.readline().decode().strip()
        inbox = Inbox(folder)
        assert [case.id for case in inbox.cases()] == [case_id]
        process.kill()
        process.wait()
    assert inbox.cases() == ()
    with pytest.raises(Refused, match="the run that waited is gone"):
        asyncio.run(inbox.decide(case_id, yes=True, by="ada"))
    assert inbox.case(case_id).state == "withdrawn"


# --------------------------------------------------------------------------------- many people


def test_a_hundred_runs_each_get_their_own_answer(tmp_path: Path, inbox: Inbox) -> None:
    body = """
      approve ok by boss showing x else fail "no"
      step a: text = ask say(x) by clerk else fail "nobody"
      return a
    }
    pipeline p() -> text { let x = "x" """
    handle = ready(tmp_path, inbox, body)
    names = [f"n{i}" for i in range(100)]

    async def main() -> list[Result]:
        running = [asyncio.ensure_future(handle.run(x=name)) for name in names]
        refused = set()
        cases = list(await opened(inbox, 100))
        random.Random(7).shuffle(cases)
        for case in cases:
            yes = int(case.shown[1:]) % 3 != 0
            await inbox.decide(case.id, yes=yes, by=f"boss of {case.shown}")
            if not yes:
                refused.add(case.shown)
        asks = list(await opened(inbox, 100 - len(refused)))
        random.Random(8).shuffle(asks)
        for case in asks:
            assert case.prompt is not None
            await inbox.answer(case.id, f"to {case.prompt}", by="eve")
        return await asyncio.gather(*running)

    results = asyncio.run(main())
    for name, result in zip(names, results, strict=True):
        (event,) = events(result, "approve")
        assert event.data["by"] == f"boss of {name}"
        if int(name[1:]) % 3 == 0:
            assert isinstance(result, Failed)
        else:
            assert isinstance(result, Answered)
            assert result.value == f"to Say {name}."


TWO = """
  approve first by boss else fail "no"
  approve second by clerk else fail "no"
"""
SWAPPED = """
  approve first by clerk else fail "no"
  approve second by boss else fail "no"
"""


@pytest.mark.parametrize("body", [TWO, SWAPPED], ids=["as declared", "the other way round"])
def test_who_decided_for_one_role_may_not_for_the_other(
    tmp_path: Path, inbox: Inbox, body: str
) -> None:
    handle = ready(tmp_path, inbox, body)

    async def main() -> Result:
        running = asyncio.ensure_future(handle.run(x="hi"))
        other = asyncio.ensure_future(handle.run(x="ho"))
        mine, others = (await opened(inbox, 2))[:2]
        await inbox.decide(mine.id, yes=True, by="Ada")
        await inbox.decide(others.id, yes=True, by="bob")
        seconds = {case.run_id: case for case in await opened(inbox, 2)}
        for name in ("Ada", "ada", " ADA "):
            with pytest.raises(Refused, match=r"already decided `first`.*must be somebody else"):
                await inbox.decide(seconds[mine.run_id].id, yes=True, by=name)
        with pytest.raises(Refused, match="somebody else"):  # nor may they say no
            await inbox.decide(seconds[mine.run_id].id, yes=False, by="ada")
        await inbox.decide(seconds[mine.run_id].id, yes=True, by="bob")
        await inbox.decide(seconds[others.run_id].id, yes=True, by="ada")  # another run
        assert isinstance(await other, Answered)
        return await running

    assert isinstance(asyncio.run(main()), Answered)


def test_differing_holds_between_an_ask_and_an_approval_and_across_sub_pipelines(
    tmp_path: Path, inbox: Inbox
) -> None:
    head = 'pipeline inner(x: text) -> text { approve ok by boss else fail "no"  return x }'
    body = """
      step a: text = ask say(x) by clerk else fail "nobody"
      step b = run inner(a) else fail "no"
    """
    handle = ready(tmp_path, inbox, body, head)

    async def main() -> Result:
        running = asyncio.ensure_future(handle.run(x="hi"))
        (ask,) = await opened(inbox)
        await inbox.answer(ask.id, "fine", by="ada")
        (approval,) = await opened(inbox)
        assert (approval.name, approval.pipeline) == ("b/ok", "main")
        with pytest.raises(Refused, match="somebody else"):
            await inbox.decide(approval.id, yes=True, by="ada")
        await inbox.decide(approval.id, yes=True, by="bob")
        return await running

    assert isinstance(asyncio.run(main()), Answered)


def test_the_same_role_may_decide_twice(tmp_path: Path, inbox: Inbox) -> None:
    body = 'approve one by boss else fail "no"\n  approve two by boss else fail "no"'
    handle = ready(tmp_path, inbox, body)

    async def main() -> Result:
        running = asyncio.ensure_future(handle.run(x="hi"))
        for _ in range(2):
            (case,) = await opened(inbox)
            await inbox.decide(case.id, yes=True, by="ada")
        return await running

    assert isinstance(asyncio.run(main()), Answered)


def test_decisions_come_from_other_threads(tmp_path: Path, inbox: Inbox) -> None:
    def decide() -> None:
        (case,) = asyncio.run(opened(inbox))
        asyncio.run(inbox.decide(case.id, yes=True, by="ada"))

    thread = threading.Thread(target=decide)
    thread.start()
    result = asyncio.run(asyncio.wait_for(ready(tmp_path, inbox, APPROVE).run(x="hi"), 10))
    thread.join()
    assert isinstance(result, Answered)


def test_two_inboxes_over_one_folder_are_one(tmp_path: Path) -> None:
    mine, theirs = Inbox(tmp_path / "inbox"), Inbox(tmp_path / "inbox")

    async def answer(case: Case) -> None:
        assert theirs.cases() == (case,)
        await theirs.decide(case.id, yes=True, by="ada")

    result = with_people(ready(tmp_path, mine, APPROVE), mine, answer)
    assert isinstance(result, Answered)
    assert events(result, "approve")[0].data["by"] == "ada"


# ---------------------------------------------------------------------------------- escalations


def test_an_escalation_waits_in_the_inbox_with_its_handoff(tmp_path: Path, inbox: Inbox) -> None:
    body = 'step a: text = ask say(x) by small\n  gate g: a == "b" else escalate to boss "not sure"'
    result = asyncio.run(ready(tmp_path, inbox, body).run(x="hi"))
    assert isinstance(result, Escalated)
    (case,) = inbox.cases(role="boss")
    assert (case.kind, case.name, case.text) == ("escalation", "g", "not sure")
    assert case.shown == result.handoff
    assert events(result, "case")[0].data["case"] == case.id

    async def close() -> None:
        with pytest.raises(Refused, match="closed with a note"):
            await inbox.decide(case.id, yes=False, by="ada")
        await inbox.decide(case.id, yes=True, by="ada", reason="called the customer")

    asyncio.run(close())
    assert inbox.cases() == ()
    verdict = inbox.case(case.id).verdict
    assert verdict is not None
    assert verdict.reason == "called the customer"


def test_an_inbox_that_is_broken_fails_no_run_that_ends(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("a file", encoding="utf-8")
    inbox = Inbox(tmp_path / "inbox")
    handle = ready(tmp_path, inbox, 'gate g: x == "b" else escalate to boss')
    result = asyncio.run(handle.run(x="hi"))
    assert isinstance(result, Escalated)
    assert events(result, "failed")[0].data["why"] == "inbox"


def test_an_approval_in_a_broken_inbox_is_not_given(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("a file", encoding="utf-8")
    result = asyncio.run(ready(tmp_path, Inbox(tmp_path / "inbox"), APPROVE).run(x="hi"))
    assert isinstance(result, Escalated)
    assert "nobody could be asked" in events(result, "approve")[0].data["reason"]


# ------------------------------------------------------------------------- what must not be told


def test_no_secret_stands_in_a_case(
    tmp_path: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "k3y-of-the-lab")
    text = """
    provider other { kind fake key "env:LAB_KEY" available 100% }
    type Account { id: text  pin: secret text }
    type Vague { id: text  pin: secret text }
    prompt look(a: Account, pin: secret text, note: text, raw: json)
      \"\"\"{{ a.id }} {{ a.pin }} {{ pin }} {{ note }} {{ raw.pin }}\"\"\"
    pipeline main(a: Account, pin: secret text) -> text {
      step said: text = ask look(a, pin, a.pin, a) by boss else fail "nobody"
      approve ok by boss showing a else escalate to boss with a
      return said
    }
    """
    runtime = Runtime(providers={"lab": Models()}, people=inbox)
    handle = load(tmp_path, text).pipeline("main", runtime=runtime)

    async def main() -> None:
        account = {"id": "k3y-of-the-lab", "pin": "4711-planted"}
        running = asyncio.ensure_future(handle.run(a=account, pin="0815-planted"))
        (ask,) = await opened(inbox)
        assert ask.prompt == "[key] [secret] [secret] [secret] [secret]"
        await inbox.answer(ask.id, "fine", by="ada")
        (approval,) = await opened(inbox)
        assert approval.shown == {"id": "[key]", "pin": "[secret]"}
        await inbox.decide(approval.id, yes=False, by="ada")
        await running

    asyncio.run(main())
    text = "".join(json.dumps(case_json(case)) for case in inbox.cases(closed=True))
    for path in (tmp_path / "inbox").rglob("*.json"):
        text += path.read_text(encoding="utf-8")
    assert '"kind": "escalation"' in text
    assert "planted" not in text
    assert "k3y" not in text


# ------------------------------------------------------------------------------ time and memory


def test_waiting_for_people_costs_a_run_no_time(tmp_path: Path, inbox: Inbox) -> None:
    body = f'budget 400ms else fail "late"\n  {APPROVE}\n  step a: text = ask say(x) by small'
    handle = ready(tmp_path, inbox, body)

    async def slowly(case: Case) -> None:
        await asyncio.sleep(0.6)
        await inbox.decide(case.id, yes=True, by="ada")

    began = time.monotonic()
    result = with_people(handle, inbox, slowly)
    assert isinstance(result, Answered)
    assert result.duration <= time.monotonic() - began - 0.6


def test_people_who_are_waited_for_at_once_stop_the_clock_once(
    tmp_path: Path, inbox: Inbox
) -> None:
    """Ten people who take 0.2 s each side by side do not give a run two seconds."""
    body = """
      let names: [text] max 10 = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
      step all: [text] max 10 = each one in names { ask say(one) by boss else fail "nobody" }
      step slow: text = ask say(x) by small
    """

    async def half(_: Any) -> str:
        await asyncio.sleep(0.3)
        return "done"

    handle = ready(tmp_path, inbox, body, slow=half)

    async def main() -> Result:
        running = asyncio.ensure_future(handle.run(x="hi"))
        cases = await opened(inbox, 10)
        await asyncio.sleep(0.2)
        for case in cases:
            await inbox.answer(case.id, "fine", by="ada")
        return await running

    began = time.monotonic()
    result = asyncio.run(main())
    assert isinstance(result, Answered)
    assert 0.29 <= result.duration <= time.monotonic() - began - 0.2


def test_memory_keeps_what_running_runs_need_and_not_everything() -> None:
    now = datetime.now(UTC)
    store = InMemoryCases(lambda: now, lambda case_id: True, most_closed=10)
    for i in range(50):
        store.add(question(f"r{i}", case_id=f"c{i}"))
        if i >= 5:
            store.change(f"c{i}", lambda case, run: replace(case, state="expired"))
        if i != 7:
            store.forget(f"r{i}")
    store.add(question("last", case_id="last"))
    kept = {case.id for case in store.all(closed=True)}
    assert {"c0", "c1", "c2", "c3", "c4", "c7", "last"} <= kept
    assert kept - {"c0", "c1", "c2", "c3", "c4", "c7", "last"} == {f"c{i}" for i in range(40, 50)}


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "inbox")

    async def yes(case: Case) -> None:
        await inbox.decide(case.id, yes=True, by="ada")

    with_people(ready(tmp_path, inbox, APPROVE), inbox, yes)
    for thread in threading.enumerate():
        if thread.name.endswith("(_look)"):
            thread.join(2)
            assert not thread.is_alive()
    assert [path.name for path in (tmp_path / "inbox" / "open").iterdir()] == []
    if os.name == "posix":
        assert (tmp_path / "inbox" / "closed").stat().st_mode & 0o777 == 0o700
        (file,) = (tmp_path / "inbox" / "closed").iterdir()
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    from pipelang import InboxBroken

    inbox = Inbox(tmp_path / "inbox")
    asyncio.run(inbox.file(escalation()))
    (file,) = (tmp_path / "inbox" / "open").iterdir()
    file.write_text("{", encoding="utf-8")
    with pytest.raises(InboxBroken, match="holds no case"):
        inbox.cases()
