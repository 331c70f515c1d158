"""The inbox: every question waits as a case of its own and is decided once, by whom it may be."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelang import Answered, Case, Escalated, Inbox, Refused
from pipelang.runtime.inbox.case_records import case_from, case_json

from ..stage import events, left_over
from .inboxes import APPROVE, escalation, make_inbox, opened, question, ready, with_people

REPO = Path(__file__).resolve().parents[4]


@pytest.fixture(params=["memory", "folder"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Inbox:
    return make_inbox(request.param, tmp_path)


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


# ------------------------------------------------------------------------------------ too late


def test_after_its_time_a_case_takes_no_answer(tmp_path: Path, inbox: Inbox) -> None:
    body = 'approve ok by boss within 50ms else escalate to boss "stopped"'

    async def wait(case: Case) -> None:
        await asyncio.sleep(0.2)

    result = with_people(ready(tmp_path, inbox, body), inbox, wait)
    assert isinstance(result, Escalated)
    assert events(result, "approve")[0].data["answered"] is False
    (approval,) = (case for case in inbox.cases(closed=True) if case.kind == "approve")
    assert approval.state == "expired"
    with pytest.raises(Refused, match=r"was expired at .*: its time ran out"):
        asyncio.run(inbox.decide(approval.id, yes=True, by="ada"))


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
        assert (await asyncio.wait_for(waiting, 60)).state == "expired"

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
