"""Servers on a store, in processes of their own: several at once, killed, stopped, restarted."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import pytest

pytest.importorskip("dbos")

from ..durable.postgres import Server
from .desk import write_desk
from .serving import Event, ProcessServer, events_of


@pytest.fixture
def store(url: str, tmp_path: Path) -> str:
    write_desk(tmp_path)
    return url


def test_runs_cases_and_events_outlive_their_server(store: str, tmp_path: Path) -> None:
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    caller = server.caller()
    done = caller.start("say", {"what": "kept"}, "?wait=60", headers={"Idempotency-Key": "k"})
    assert done["result"] == {"value": "kept"}
    waits = caller.start("refund", {"amount": 60})["id"]
    case = caller.case_of(waits)
    assert server.close() == 0

    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    try:
        caller = server.caller()
        assert caller.get(f"/v1/runs/{done['id']}").json == done
        again = caller.start("say", {"what": "kept"}, headers={"Idempotency-Key": "k"})
        assert again == done
        conflict = caller.post(
            "/v1/pipelines/say/runs", {"inputs": {"what": "x"}}, headers={"Idempotency-Key": "k"}
        )
        assert (conflict.status, conflict.code) == (409, "key_conflict")
        assert [one["id"] for one in caller.get("/v1/cases").json["items"]] == [case["id"]]
        path = f"/v1/cases/{case['id']}/decision"
        decided = caller.post(path, {"verdict": "yes", "shown_hash": case["shown_hash"]})
        assert decided.status == 200
        assert caller.post(path, {"verdict": "no"}).code == "decided"
        assert caller.ended(waits)["result"] == {"value": "paid $60"}
        heard = list(events_of(caller, waits))
        numbers = [int(event.id) for event in heard if event.id is not None]
        assert numbers == list(range(len(numbers)))
        assert heard[-1].data["status"] == "answered"
        rest = list(events_of(caller, waits, after=numbers[2]))
        assert [event.id for event in rest if event.id] == [str(n) for n in numbers[3:]]
        paged = caller.get("/v1/runs?limit=1").json
        other = caller.get(f"/v1/runs?limit=1&cursor={paged['next']}").json
        assert {paged["items"][0]["id"], other["items"][0]["id"]} == {waits, done["id"]}
        assert other["next"] is None
        reason = caller.get("/v1/runs?reason=signed&status=escalated").json
        assert reason["items"] == []
    finally:
        assert server.close() == 0


def test_two_servers_on_one_store_are_one_service(store: str, tmp_path: Path) -> None:
    """What is started at one is followed, decided and cancelled at the other."""
    one = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    other = ProcessServer(tmp_path, "desk.pipe", "--store", store, "--no-worker")
    try:
        here, there = one.caller(), other.caller()
        run = here.start("refund", {"amount": 60})["id"]
        heard: list[Event] = []
        follower = threading.Thread(target=lambda: heard.extend(events_of(there, run)))
        follower.start()
        case = there.case_of(run)
        assert there.post(f"/v1/cases/{case['id']}/decision", {"verdict": "yes"}).status == 200
        assert here.ended(run)["status"] == "answered"
        follower.join(60)
        numbers = [int(event.id) for event in heard if event.id is not None]
        assert numbers == list(range(len(numbers)))
        assert heard[-1].kind == "end"
        # One key at both is one run.
        headers = {"Idempotency-Key": "both"}
        found = {c.start("say", {"what": "x"}, headers=headers)["id"] for c in (here, there)}
        assert len(found) == 1
        assert there.start("say", {"what": "y"}, "?wait=60")["status"] == "answered"
        there.post("/v1/switches", {"action": "kill", "pipeline": "say", "reason": "audit"})
        here.until(lambda: here.get("/v1/switches").json["items"], bool)
        assert here.start("say", {"what": "z"}, "?wait=60")["result"]["code"] == "killed"
        here.post("/v1/switches", {"action": "restore", "pipeline": "say"})
        assert there.get("/v1/switches").json["items"] == []
        sleeps = there.start("rest", {"seconds": 50})["id"]
        here.until(lambda: here.get(f"/v1/runs/{sleeps}").json, lambda r: r["status"] == "running")
        assert there.post(f"/v1/runs/{sleeps}/cancel").json["result"]["code"] == "cancelled"
        assert other.caller().get("/readyz").status == 200
    finally:
        assert one.close() == 0
        assert other.close() == 0


def test_a_killed_server_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    write_desk(tmp_path)
    store = f"sqlite:///{tmp_path}/runs.db"
    effects = tmp_path / "effects"
    env = {"EFFECTS": str(effects)}
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store, env=env)
    caller = server.caller()
    runs = [caller.start("refund", {"amount": n})["id"] for n in range(12)]
    time.sleep(0.3)
    server.kill()
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store, env=env)
    try:
        caller = server.caller()
        for run in runs:
            assert caller.ended(run)["status"] == "answered"
    finally:
        assert server.close() == 0
    keys = Counter(effects.read_text().split())
    # `pay` is idempotent: it may be called again, with the same key, and never with another.
    assert {key.partition("/")[0] for key in keys} == set(runs)
    assert len(keys) == len(runs)


def test_a_stop_finishes_what_is_begun_and_tells_who_follows(tmp_path: Path) -> None:
    write_desk(tmp_path)
    store = f"sqlite:///{tmp_path}/runs.db"
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store, "--grace", "20s")
    caller = server.caller()
    run = caller.start("rest", {"seconds": 1.5})["id"]
    heard: list[Event] = []
    begun = threading.Event()

    def follow() -> None:
        for event in events_of(caller, run):
            heard.append(event)
            begun.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert begun.wait(30)
    assert server.close() == 0
    follower.join(30)
    assert heard[-1].kind == "stopping"
    with closing(sqlite3.connect(tmp_path / "runs.db")) as rows:
        [(status, attempts)] = rows.execute("SELECT status, attempts FROM pipelang_runs")
    assert (status, attempts) == ("answered", 1)


def test_what_a_server_counts_is_what_its_store_has(tmp_path: Path) -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    write_desk(tmp_path)
    store = f"sqlite:///{tmp_path}/runs.db"
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    other = ProcessServer(tmp_path, "desk.pipe", "--store", store, "--no-worker")
    try:
        for n in range(5):
            other.caller().start("say", {"what": str(n)}, "?wait=60")

        def counted() -> float:
            text = other.caller().get("/metrics").body.decode()
            families = {one.name: one for one in text_string_to_metric_families(text)}
            return sum(sample.value for sample in families["pipelang_runs"].samples)

        assert other.caller().until(counted, lambda found: found >= 5) == 5
    finally:
        server.close()
        other.close()


def test_a_store_that_goes_away_is_503_and_comes_back(postgresql: Server, tmp_path: Path) -> None:
    write_desk(tmp_path)
    store = postgresql.database(f"t{token_hex(6)}")
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    try:
        caller = server.caller()
        run = caller.start("say", {"what": "before"}, "?wait=60")["id"]
        postgresql.stop()
        try:
            for answer in (
                caller.post("/v1/pipelines/say/runs", {"inputs": {"what": "x"}}),
                caller.get(f"/v1/runs/{run}"),
                caller.get("/v1/cases"),
            ):
                assert (answer.status, answer.code) == (503, "store")
                assert int(answer.headers["retry-after"]) > 0
                assert "127.0.0.1" not in answer.json["detail"]
            late = caller.until(lambda: caller.get("/readyz"), lambda found: found.status == 503)
            assert late.code == "late"
            assert caller.get("/healthz").status == 200
            assert re.search(r"the store cannot be used: .*(connection|terminat)", server.said())
            assert "StoreUnreachable" not in server.said(), "the log says why, for its operator"
        finally:
            postgresql.start()
        caller.until(lambda: caller.get("/readyz").status, lambda status: status == 200)
        assert caller.get(f"/v1/runs/{run}").status == 200
        assert caller.start("say", {"what": "after"}, "?wait=60")["status"] == "answered"
    finally:
        assert server.close() == 0


def test_pages_read_no_more_than_they_show(tmp_path: Path) -> None:
    """With many runs in the store a page is as cheap as with few: counted in rows that are read."""
    import sqlalchemy as sa

    from pipelang.runtime.durable import run_pages
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.durable.submitting import Submission, submit

    opened = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)
    try:
        run_pages.make_indexes(opened)
        made = [
            submit(opened, Submission(pipeline="say", program="p", input={"n": n}, tenant=tenant))
            for n in range(60)
            for tenant in ("acme", "evil")
        ]
        read: list[int] = []

        class Counting(Store):
            def rows(self, statement: str, **values: object) -> list[dict[str, object]]:
                found = super().rows(statement, **values)
                read.append(len(found))
                return found

        opened.__class__ = Counting
        seen: list[str] = []
        after = None
        while True:
            read.clear()
            query = run_pages.RunQuery(tenant=("acme",), after=after, limit=7)
            items, after = run_pages.run_page(opened, query)
            assert sum(read) <= 8
            assert {item["tenant"] for item in items} == {"acme"}
            seen += [item["id"] for item in items]
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 60
        assert set(seen) < set(made)
        with opened.legs.database.connect() as connection:
            plan = connection.execute(
                sa.text(
                    "EXPLAIN QUERY PLAN SELECT * FROM pipelang_runs WHERE tenant = 'acme' "
                    "AND created <= 5 ORDER BY created DESC, run LIMIT 8"
                )
            ).all()
        assert "pipelang_runs_tenant" in json.dumps([str(row) for row in plan])
    finally:
        opened.close()


def test_a_run_ends_on_the_program_with_which_it_began(tmp_path: Path) -> None:
    """A server with a newer file goes on with what waits since before the deploy."""
    file = write_desk(tmp_path)
    store = f"sqlite:///{tmp_path}/runs.db"
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    before = server.caller().start("refund", {"amount": 60})
    server.caller().case_of(before["id"])
    assert server.close() == 0
    text = file.read_text()
    file.write_text(text.replace('"not paid"', '"never paid"'))
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    try:
        caller = server.caller()
        after = caller.start("refund", {"amount": 5}, "?wait=60")
        assert after["program"] != before["program"]
        case = caller.case_of(before["id"])
        caller.post(f"/v1/cases/{case['id']}/decision", {"verdict": "yes"})
        ended = caller.ended(before["id"])
        assert (ended["status"], ended["program"]) == ("answered", before["program"])
    finally:
        assert server.close() == 0


def test_what_a_deploy_left_behind_has_switches(tmp_path: Path) -> None:
    """Runs of a pipeline that the new file does not have wait on, and must be stopped somehow."""
    file = write_desk(tmp_path)
    store = f"sqlite:///{tmp_path}/runs.db"
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    run = server.caller().start("refund", {"amount": 60})["id"]
    server.caller().case_of(run)
    assert server.close() == 0
    file.write_text("pipeline other(x: text) -> text {\n  return x\n}\n")
    server = ProcessServer(tmp_path, "desk.pipe", "--store", store)
    try:
        caller = server.caller()
        assert "refund" in caller.get("/switches").body.decode()
        for what, name in (("pipeline", "refund"), ("tool", "pay")):
            off = caller.post("/v1/switches", {"action": "kill", what: name, "reason": "audit"})
            found = {"what": what, "name": name, "state": "killed", "reason": "audit"}
            assert off.json["items"] == [found]
            assert "audit" in caller.get("/switches").body.decode()
            on = caller.post("/v1/switches", {"action": "restore", what: name})
            assert on.json["items"] == []
            no = caller.post("/v1/switches", {"action": "kill", what: "none"})
            assert (no.status, no.code) == (404, "unknown")
        caller.post("/v1/switches", {"action": "pause", "pipeline": "refund"})
        assert caller.post(f"/v1/runs/{run}/cancel").json["status"] == "failed"
        on = caller.post("/v1/switches", {"action": "restore", "pipeline": "refund"})
        assert on.json["items"] == [], "what is switched can be restored when no run is left"
        # Everything is what is served and what is not: nothing begins, and all of it goes on.
        words = {"action": "pause", "all": True, "reason": "a holiday"}
        every = caller.post("/v1/switches", words)
        assert {one["name"] for one in every.json["items"]} == {"other", "refund"}
        assert {one["reason"] for one in every.json["items"]} == {"a holiday"}
        assert "a holiday" in caller.get("/switches").body.decode()
        on = caller.post("/v1/switches", {"action": "restore", "all": True})
        assert on.json["items"] == []
    finally:
        assert server.close() == 0
