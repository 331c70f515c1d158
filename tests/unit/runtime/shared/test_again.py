"""What a run that goes on after a crash asks for again: it counts once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from pipelang import Case, Inbox
from pipelang.runtime.inbox.routing import case_id
from pipelang.runtime.shared.circuit_breakers import CLOSED, OPEN, Admission, Breakers, EndedRun
from pipelang.runtime.shared.memory_store import InMemory, Sqlite

from ..inbox.inboxes import make_inbox, opened, question
from .test_breakers import breaker, rejects

BAD = EndedRun("failed", "sure", gates={"sure": False})
KEY = ("f", "main", None)


def test_a_named_run_is_counted_once_by_its_breaker() -> None:
    all_, what = Breakers(), breaker(rejects(2))
    given = all_.admit(KEY, what, "r/")
    assert isinstance(given, Admission)
    for _ in range(3):
        assert all_.admit(KEY, what, "r/") == given
        assert all_.record_end(given, BAD) is None
    assert all_.state(KEY) == CLOSED
    other = all_.admit(KEY, what, "s/")
    assert isinstance(other, Admission)
    changed = all_.record_end(other, BAD)
    assert changed is not None
    assert changed[0] == OPEN
    assert all_.record_end(other, BAD) == changed, "told again as it was told"
    assert all_.admit(KEY, what, "r/") == given, "it was let through"
    assert isinstance(all_.admit(KEY, what, "t/"), str)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_write_with_a_key_is_made_once(tmp_path: Path, kind: str) -> None:
    store = InMemory() if kind == "memory" else Sqlite(tmp_path / "m.db")
    place = (None, "notes", '"k"')
    for key in ("r/1", "r/1", "r/2", None, None, "r/1"):
        store.write(place, key or "plain", 10, None, key)
    assert store.read(place, None) == ["r/1", "r/2", "plain", "plain"]
    again = store if kind == "memory" else Sqlite(tmp_path / "m.db")
    again.write(place, "r/2", 10, None, "r/2")
    assert len(store.read(place, None)) == 4


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_a_lasting_case_is_found_again_and_never_withdrawn(tmp_path: Path, kind: str) -> None:
    inbox = make_inbox(kind, tmp_path)
    case = replace(
        question(), id=case_id("r", "ok/0", {"x": 1}, None), lasting=True, shown={"x": 1}
    )

    asyncio.run(stops_waiting(inbox, case))  # another loop each time, as another process has
    (open_,) = inbox.cases()
    assert (open_.id, open_.state) == (case.id, "open")

    async def goes_on() -> None:
        waiting = asyncio.ensure_future(inbox.wait(case, 3600))
        await asyncio.sleep(0.05)
        (found,) = await opened(inbox)
        assert (found.opened_at, found.due_at) == (open_.opened_at, open_.due_at)
        await inbox.decide(found.id, yes=True, by="ada")
        async with asyncio.timeout(10):
            closed = await waiting
        assert closed.verdict is not None
        assert closed.verdict.by == "ada"
        again = await inbox.wait(case, 3600)
        assert again.verdict == closed.verdict, "what was decided while nobody waited is found"

    asyncio.run(goes_on())
    assert len(inbox.cases(closed=True)) == 1
    assert case_id("r", "ok/0", {"x": 2}, None) != case.id, "another thing shown is another case"


def test_a_case_that_does_not_last_ends_with_its_run() -> None:
    inbox = Inbox()
    asyncio.run(stops_waiting(inbox, question()))
    assert [case.state for case in inbox.cases(closed=True)] == ["withdrawn"]


async def stops_waiting(inbox: Inbox, case: Case) -> None:
    waiting = asyncio.ensure_future(inbox.wait(case, 3600))
    await opened(inbox)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
