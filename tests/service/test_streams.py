"""Streams that outlast something: the token of who reads, their store, the run itself."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

pytest.importorskip("dbos")

from pipelang.interfaces.service import stopping
from pipelang.interfaces.service.api import events
from pipelang.interfaces.service.backend import Occurrence
from pipelang.interfaces.service.backends import stored
from pipelang.interfaces.service.backends.stored import StoreBackend
from pipelang.interfaces.service.principals import local_principal
from pipelang.interfaces.service.problems import Problem
from pipelang.interfaces.service.stopping import Stopping
from pipelang.interfaces.service.tokens import TokenFile
from pipelang.runtime.durable import listing, upkeep
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import Submission, submit
from pipelang.runtime.durable.switches import StoredSwitches

from .serving import Caller, ThreadServer, events_of

SOON = 0.05
AWAY = Problem(503, "store", "the store cannot be reached now")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "LOOK", SOON)
    monkeypatch.setattr(events, "AWAY", SOON)
    monkeypatch.setattr(stored, "AWAY", SOON)


# -------------------------------------------------------------------------- a token that is no more


class Taken:
    """A token that is taken away while something goes on."""

    def __init__(self, server: ThreadServer, how: str) -> None:
        assert server.tokens is not None
        self._tokens, self._how = server.tokens, how
        soon = datetime.now(UTC) + timedelta(seconds=1.5) if how == "expired" else None
        token, self._made = self._tokens.new("ada", ("caller",), "acme", soon)
        self.caller = server.caller(token)

    def take(self) -> None:
        if self._how == "revoked":
            self._tokens.revoke(self._made.id)


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_stream_ends_with_its_token(guarded_server: ThreadServer, how: str) -> None:
    taken = Taken(guarded_server, how)
    run = taken.caller.start("rest", {"seconds": 20})["id"]
    seen = []
    for event in events_of(taken.caller, run):
        seen.append(event)
        if event.data.get("kind") == "step":
            taken.take()
    assert seen[-1].kind == "problem"
    assert (seen[-1].data["status"], seen[-1].data["code"]) == (401, "bad_token")
    assert {one.kind for one in seen[:-1]} == {"message"}


@pytest.mark.parametrize("of", ["run", "runs", "cases"])
def test_a_stream_of_a_page_ends_with_its_token(guarded_server: ThreadServer, of: str) -> None:
    taken = Taken(guarded_server, "revoked")
    run = taken.caller.start("rest", {"seconds": 20})["id"]
    connection = http.client.HTTPConnection("127.0.0.1", guarded_server.port, timeout=15)
    cookie = {"Cookie": f"pipelang_session={taken.caller.token}~0"}
    connection.request("GET", f"/live?of={of}&id={run}", headers=cookie)
    answer = connection.getresponse()
    assert answer.status == 200
    threading.Timer(0.5, taken.take).start()
    told = answer.read()  # to its end
    connection.close()
    assert told.startswith(b"retry: 2000")
    assert b"event: over" not in told


def test_who_waits_for_a_run_hears_nothing_of_it_without_a_token(
    guarded_server: ThreadServer,
) -> None:
    taken = Taken(guarded_server, "revoked")
    threading.Timer(0.5, taken.take).start()
    answer = taken.caller.post("/v1/pipelines/rest/runs?wait=30", {"inputs": {"seconds": 1.5}})
    assert (answer.status, answer.code) == (401, "bad_token")


def test_a_token_that_holds_is_asked_for_nothing(
    guarded_server: ThreadServer, tokens: TokenFile
) -> None:
    caller: Caller = guarded_server.caller(tokens.new("ada", ("caller",), "acme")[0])
    run = caller.start("rest", {"seconds": 0.5})["id"]
    tokens.new("eve", ("caller",), "acme")  # the file changes
    assert [one.kind for one in events_of(caller, run)][-1] == "end"


# ------------------------------------------------------------------------------- runs in a store


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store.open(url, make=True)
    yield made
    made.close()


def given(store: Store) -> str:
    return submit(store, Submission(pipeline="p", program="h", input={}))


def backend_of(store: Store) -> StoreBackend:
    return StoreBackend(store, StoredSwitches(store))


def test_who_follows_a_run_that_is_deleted_hears_no_more_of_it(store: Store) -> None:
    run, backend = given(store), backend_of(store)

    async def follow() -> list[Any]:
        following = backend.follow(run, -1)
        coming = asyncio.ensure_future(_rest(following))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(upkeep.cancel, store, run)
        await asyncio.to_thread(upkeep.prune, store, -10.0)
        return await asyncio.wait_for(coming, 10)

    assert [one for one in asyncio.run(follow()) if one is not None] == []

    async def late() -> list[Any]:  # it is gone when somebody comes
        return await asyncio.wait_for(_rest(backend.follow(run, -1)), 10)

    assert asyncio.run(late()) == []


async def _rest(following: AsyncIterator[Occurrence | None]) -> list[Any]:
    return [one async for one in following]


def test_what_is_recorded_is_told_as_in_progress_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, backend = given(store), backend_of(store)
    found = [Occurrence(0, "run", "p", 0.0, {}), Occurrence(1, "step", "a", 0.1, {})]

    async def recorded(id: str, row: int) -> tuple[tuple[Occurrence, ...], int]:
        return tuple(found[row + 1 :]), len(found) - 1

    monkeypatch.setattr(backend, "_recorded", recorded)

    async def follow() -> list[Occurrence | None]:
        following = backend.follow(run, -1)
        seen = [await anext(following), await anext(following)]
        backend._watch.told(run, Occurrence(None, "step", "a", 0.1, {}))  # heard of late
        backend._watch.told(run, Occurrence(None, "done", "a", 0.2, {}))
        return [*seen, await asyncio.wait_for(anext(following), 10)]

    told = asyncio.run(follow())
    assert told == [*found, Occurrence(None, "done", "a", 0.2, {})]


def test_all_who_follow_a_run_read_it_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten pages must not read ten times what is new."""
    run, backend = given(store), backend_of(store)
    reads: list[Any] = []

    async def counted(id: str, row: int) -> tuple[tuple[Occurrence, ...], int]:
        reads.append(id)
        if len(reads) == 1:
            raise AWAY
        return (Occurrence(0, "run", "p", 0.0, {}),) if row < 0 else (), 0

    monkeypatch.setattr(backend, "_recorded", counted)

    async def follow() -> list[list[Any]]:
        coming = [asyncio.ensure_future(_rest(backend.follow(run, -1))) for _ in range(10)]
        await asyncio.sleep(1.0)
        await asyncio.to_thread(upkeep.cancel, store, run)
        return await asyncio.wait_for(asyncio.gather(*coming), 20)

    for seen in asyncio.run(follow()):
        assert [one.number for one in seen if one is not None] == [0]
    assert len(reads) <= 5


@pytest.mark.parametrize("others", [0, 60])
def test_whoever_follows_a_run_reads_each_of_its_rows_once(
    store: Store, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while more runs are followed than are kept for who follows them next."""
    run, backend = given(store), backend_of(store)
    aside = [given(store) for _ in range(others)]
    read: Counter[tuple[str, int]] = Counter()
    decode_event = listing.decode_event

    def counted(data: list[Any], number: int) -> Any:
        read[data[1], number] += 1
        return decode_event(data, number)

    monkeypatch.setattr(listing, "decode_event", counted)

    def write(of: str, number: int) -> None:
        """A row as legs write them: two events each, and what is spent ahead has none."""
        told = [[n, ["step", of, float(n), {}, None]] for n in (2 * number, 2 * number + 1)]
        rows = [("done", 2 * number + 1, {"events": told}), ("ahead", 2 * number + 2, {})]
        with store.transaction() as connection:
            for kind, place, value in rows:
                connection.execute(
                    sa.text(
                        """INSERT INTO pipelang_journal (run, place, kind, value, written, number)
                        VALUES (:run, :place, :kind, :value, 0, :number)"""
                    ),
                    {
                        "run": of,
                        "place": f"p/{place}",
                        "kind": kind,
                        "value": json.dumps(value),
                        "number": place,
                    },
                )

    async def follow() -> list[Any]:
        coming = [
            asyncio.ensure_future(_rest(backend.follow(one, 2 if one == run else -1)))
            for one in (run, *aside)
        ]
        for number in range(8):
            for one in (run, *aside):
                await asyncio.to_thread(write, one, number)
            await asyncio.sleep(0.4)
        for one in (run, *aside):
            await asyncio.to_thread(upkeep.cancel, store, one)
        return await asyncio.wait_for(asyncio.gather(*coming), 60)

    seen, *rest = asyncio.run(follow())
    assert [one.number for one in seen if one is not None] == list(range(3, 16))
    assert all([one.number for one in it if one is not None] == list(range(16)) for it in rest)
    assert set(read.values()) == {1}


def test_the_end_of_a_run_is_told_once_its_store_is_back() -> None:
    looks: list[Any] = [AWAY, AWAY, {"id": "r", "status": "answered"}]

    async def run(who: Any, id: str) -> Any:
        found = looks.pop(0)
        if isinstance(found, Problem):
            raise found
        return found

    assert _told(run) == b'event: end\ndata: {"id": "r", "status": "answered"}\n\n'

    async def gone(who: Any, id: str) -> Any:
        raise Problem(404, "unknown", "there is no run `r`")

    assert b"event: problem" in _told(gone)


def _told(run: Any, *found: Occurrence) -> bytes:
    """What a stream tells after the head, of a run that is read so."""

    async def following() -> AsyncIterator[Occurrence | None]:
        for one in found:
            yield one

    async def read() -> bytes:
        service: Any = SimpleNamespace(stopping=Stopping(), run=run)
        lines = events._lines(service, local_principal("ada"), "r", following(), None)
        return b"".join([line async for line in lines])

    return asyncio.run(read()).partition(b"\n\n")[2]


def test_an_event_is_lines_for_every_reader() -> None:
    """Some clients end lines wherever Unicode does."""
    said = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\rj\nk\u202e"

    async def run(who: Any, id: str) -> Any:
        return {"said": said}

    told = _told(run, Occurrence(0, "run", said, 0.0, {said: said})).decode()
    lines = [line for line in told.splitlines() if line]
    assert [line.partition(":")[0] for line in lines] == ["id", "data", "event", "data"]
    assert re.findall(r"^data: (.*)$", told, re.MULTILINE)[1].count("\\u2028") == 1
    assert told.splitlines() == told.split("\n")[:-1] or told.splitlines() == told.split("\n")
