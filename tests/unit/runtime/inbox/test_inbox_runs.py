"""The inbox and its runs: each gets its own answers, by different people, and no secret is told."""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Case, Escalated, Failed, Inbox, Refused, Runtime
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.inbox.case_records import case_json
from pipelang.runtime.inbox.memory import InMemoryCases

from ..stage import Models, events, load
from .inboxes import APPROVE, escalation, make_inbox, opened, question, ready, with_people


@pytest.fixture(params=["memory", "folder"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Inbox:
    return make_inbox(request.param, tmp_path)


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
    result = asyncio.run(asyncio.wait_for(ready(tmp_path, inbox, APPROVE).run(x="hi"), 60))
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
    body = f'budget 1m else fail "late"\n  {APPROVE}\n  step a: text = ask say(x) by small'
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
            thread.join(60)
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
    assert inbox.cases() == ()
    assert inbox.unreadable == (str(file),)
    with pytest.raises(InboxBroken, match="holds no case"):
        inbox.case(file.stem)
