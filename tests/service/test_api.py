"""The API as a caller, an approver and an operator use it, on a server whose runs are in memory."""

from __future__ import annotations

import json
import threading
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelang.interfaces.cli.check.report import check_report

from .serving import Caller, Event, ThreadServer, events_of

RUN_KEYS = {
    "id",
    "pipeline",
    "program",
    "tenant",
    "thread",
    "status",
    "result",
    "waiting_for",
    "cost",
    "tokens",
    "started",
    "ended",
    "attempts",
}


# ---------------------------------------------------------------------------------------- starting


def test_a_run_that_ends_in_time_is_the_answer(anyone: Caller) -> None:
    answer = anyone.post("/v1/pipelines/say/runs?wait=30", {"inputs": {"what": "hello"}})
    assert answer.status == 200
    run = answer.json
    assert run.keys() == RUN_KEYS
    assert run["status"] == "answered"
    assert run["result"] == {"value": "hello"}
    assert run["cost"] == "0"
    assert run["waiting_for"] is None
    assert run["attempts"] == 1
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    assert anyone.get(answer.headers["location"]).json == run


def test_a_run_that_goes_on_is_accepted_with_its_place(anyone: Caller) -> None:
    answer = anyone.post("/v1/pipelines/rest/runs", {"inputs": {"seconds": 0.3}})
    assert answer.status == 202
    assert answer.json["status"] in ("queued", "running")
    assert anyone.ended(answer.json["id"])["result"] == {"value": "awake"}


def test_a_cancelled_run_names_the_call_that_was_under_way(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import asyncio\nasync def pay(x):\n    await asyncio.sleep(60)\n    return x\n"
    )
    file = tmp_path / "pays.pipe"
    file.write_text(
        'tool pay(x: text) -> text { python "slow:pay" effect irreversible timeout 99s }\n'
        "pipeline pays(x: text) -> text {\n"
        '  step paid = call pay(x) else fail "no"\n  return paid\n}\n'
    )
    server = ThreadServer(file)
    try:
        caller = server.caller()
        run = caller.start("pays", {"x": "a"})["id"]
        next(one for one in events_of(caller, run) if one.data.get("kind") == "effect")
        result = caller.post(f"/v1/runs/{run}/cancel").json["result"]
    finally:
        server.close()
    assert (result["code"], result["text"]) == (
        "cancelled",
        f"it was cancelled; `pay` with the key `{run}/paid/0` was under way, "
        "and whether it happened is unknown",
    )


def test_waiting_for_a_run_ends_with_the_time(anyone: Caller) -> None:
    answer = anyone.post("/v1/pipelines/rest/runs?wait=1", {"inputs": {"seconds": 20}})
    assert answer.status == 202
    cancelled = anyone.post(f"/v1/runs/{answer.json['id']}/cancel", raw=b"")
    assert cancelled.status == 200
    assert cancelled.json["status"] == "failed"
    assert cancelled.json["result"]["code"] == "cancelled"
    again = anyone.post(f"/v1/runs/{answer.json['id']}/cancel", raw=b"")
    assert (again.status, again.code) == (409, "ended")


def test_thread_priority_and_delay_are_taken(anyone: Caller) -> None:
    body = {"inputs": {"what": "x"}, "thread": "t-1", "priority": 3, "delay": "1h"}
    answer = anyone.post("/v1/pipelines/say/runs", body)
    run = answer.json
    assert (answer.status, run["thread"], run["status"]) == (202, "t-1", "delayed")
    assert run["waiting_for"]["kind"] == "time"
    assert run["started"] is None
    assert anyone.post(f"/v1/runs/{run['id']}/cancel").json["status"] == "failed"
    soon = anyone.post("/v1/pipelines/say/runs?wait=30", {"inputs": {"what": "x"}, "delay": 0.2})
    assert (soon.status, soon.json["status"]) == (200, "answered")


def test_the_same_key_is_the_same_run(anyone: Caller) -> None:
    headers = {"Idempotency-Key": "order-1"}
    body = {"inputs": {"what": "one"}}
    first = anyone.post("/v1/pipelines/say/runs?wait=30", body, headers=headers)
    again = anyone.post("/v1/pipelines/say/runs?wait=30", body, headers=headers)
    assert first.json == again.json
    other = anyone.post("/v1/pipelines/say/runs", {"inputs": {"what": "two"}}, headers=headers)
    assert (other.status, other.code) == (409, "key_conflict")
    elsewhere = anyone.post(
        "/v1/pipelines/say/runs",
        body | {"thread": "another"},
        headers=headers,
    )
    assert (elsewhere.status, elsewhere.code) == (409, "key_conflict")
    threaded = {"Idempotency-Key": "order-2"}
    assert anyone.post("/v1/pipelines/say/runs", body | {"thread": "t"}, headers=threaded).json
    nowhere = anyone.post("/v1/pipelines/say/runs", body, headers=threaded)
    assert (nowhere.status, nowhere.code) == (409, "key_conflict")
    of_other_pipeline = anyone.start("rest", {}, headers=headers)
    assert of_other_pipeline["id"] != first.json["id"]


def test_many_at_once_with_one_key_are_one_run(anyone: Caller) -> None:
    found: list[str] = []

    def start() -> None:
        headers = {"Idempotency-Key": "race"}
        found.append(anyone.start("say", {"what": "r"}, headers=headers)["id"])

    threads = [threading.Thread(target=start) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 12
    assert len(set(found)) == 1


def test_an_input_that_does_not_fit_is_told_as_run_tells_it(anyone: Caller) -> None:
    for inputs, said in (
        ({"amount": "much"}, "input `amount`: expected a number"),
        ({"amount": 900}, "input `amount`: "),
        ({}, "`refund` needs the input `amount`"),
        ({"amount": 1, "colour": "red"}, "`refund` has no input `colour`; its inputs: `amount`"),
    ):
        answer = anyone.post("/v1/pipelines/refund/runs", {"inputs": inputs})
        assert (answer.status, answer.code) == (422, "input")
        assert answer.json["detail"].startswith(said)


# ----------------------------------------------------------------------------------------- listing


def test_every_run_is_on_one_page(anyone: Caller) -> None:
    made = [anyone.start("say", {"what": str(n)}, "?wait=30")["id"] for n in range(7)]
    one_of_seven = anyone.start("rest", {}, "?wait=30")["id"]
    seen: list[str] = []
    cursor = ""
    while True:
        page = anyone.get(f"/v1/runs?pipeline=say&limit=3{cursor}").json
        assert page.keys() == {"items", "next"}
        assert len(page["items"]) <= 3
        seen += [run["id"] for run in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen))
    assert [run for run in seen if run in made] == made[::-1]
    assert one_of_seven not in seen


def test_filters_narrow_the_list(anyone: Caller) -> None:
    run = anyone.start("refund", {"amount": 300}, "", headers={"Idempotency-Key": "filters"})
    case = anyone.case_of(run["id"])
    assert run["id"] in _ids(anyone, "/v1/runs?status=waiting")
    anyone.post(f"/v1/cases/{case['id']}/decision", {"verdict": "no", "reason": "too much"})
    assert anyone.ended(run["id"])["status"] == "escalated"
    assert run["id"] in _ids(anyone, "/v1/runs?status=escalated&reason=signed")
    assert run["id"] not in _ids(anyone, "/v1/runs?reason=other")
    assert run["id"] in _ids(anyone, "/v1/runs?since=2020-01-01T00:00:00Z")
    assert not _ids(anyone, "/v1/runs?since=2999-01-01T00:00:00%2B02:00")


def _ids(caller: Caller, path: str) -> list[str]:
    answer = caller.get(path)
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.json["items"]]


# ------------------------------------------------------------------------------------------ events


def test_events_come_in_order_and_end_with_the_run(anyone: Caller) -> None:
    run = anyone.start("refund", {"amount": 60})
    heard: list[Event] = []
    asked = threading.Event()

    def follow() -> None:
        for event in events_of(anyone, run["id"]):
            heard.append(event)
            if event.data.get("kind") == "asks":
                asked.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert asked.wait(30), heard
    case = anyone.case_of(run["id"])
    anyone.post(f"/v1/cases/{case['id']}/decision", {"verdict": "yes"})
    follower.join(30)
    recorded = [event for event in heard if event.id is not None]
    assert [int(event.id or "") for event in recorded] == list(range(len(recorded)))
    kinds = [event.data["kind"] for event in recorded]
    assert kinds[0] == "run"
    assert kinds[-1] == "outcome"
    assert "approve" in kinds
    assert heard[-1].kind == "end"
    assert heard[-1].data["status"] == "answered"
    # Without the folder in which the program lies.
    assert recorded[0].data["data"]["file"] == "desk.pipe"


def test_a_stream_goes_on_where_it_stopped(anyone: Caller) -> None:
    run = anyone.start("say", {"what": "again"}, "?wait=30")["id"]
    whole = list(events_of(anyone, run))
    middle = len(whole) // 2
    rest = list(events_of(anyone, run, after=int(whole[middle].id or "")))
    assert rest == whole[middle + 1 :]
    after_all = list(events_of(anyone, run, after=999))
    assert [event.kind for event in after_all] == ["end"]


def test_the_head_of_a_stream_is_no_stream(anyone: Caller) -> None:
    run = anyone.start("refund", {"amount": 60})["id"]
    answer = anyone.ask("HEAD", f"/v1/runs/{run}/events")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    anyone.post(f"/v1/runs/{run}/cancel")


# ------------------------------------------------------------------------------------------- cases


def test_a_case_says_what_is_decided_and_is_decided_once(anyone: Caller) -> None:
    run = anyone.start("refund", {"amount": 60})["id"]
    case = anyone.case_of(run)
    assert (case["run_id"], case["role"], case["kind"]) == (run, "clerk", "approve")
    assert case["shown"] == 60
    assert anyone.get(f"/v1/runs/{run}").json["waiting_for"] == {
        "kind": "person",
        "name": "clerk",
        "due": case["due_at"][:23] + "Z",
    }
    path = f"/v1/cases/{case['id']}/decision"
    stale = anyone.post(path, {"verdict": "yes", "shown_hash": "0" * 64})
    assert (stale.status, stale.code) == (409, "shown")
    done = anyone.post(path, {"verdict": "yes", "shown_hash": case["shown_hash"], "reason": "ok"})
    assert done.status == 200
    assert done.json["verdict"]["by"] == "ada"
    again = anyone.post(path, {"verdict": "no"})
    assert (again.status, again.code) == (409, "decided")
    assert anyone.ended(run)["result"] == {"value": "paid $60"}
    assert anyone.get(f"/v1/cases/{case['id']}").json["state"] == "decided"
    assert case["id"] not in _ids(anyone, "/v1/cases")
    assert case["id"] in _ids(anyone, "/v1/cases?closed=true")


def test_an_answer_must_fit_its_shape(anyone: Caller) -> None:
    run = anyone.start("opinion", {"why": "it was broken"})["id"]
    case = anyone.case_of(run)
    assert case["kind"] == "ask"
    assert "it was broken" in case["prompt"]
    path = f"/v1/cases/{case['id']}/decision"
    for given in ({"fair": "perhaps", "why": "x"}, None, {"fair": True}):
        wrong = anyone.post(path, {"verdict": "answer", "answer": given})
        assert (wrong.status, wrong.code) == (422, "answer"), given
    wrong = anyone.post(path, {"verdict": "yes"})
    assert (wrong.status, wrong.code) == (409, "verdict")
    right = {"fair": True, "why": "it was broken"}
    jsonschema.validate(right, case["shape"])
    assert anyone.post(path, {"verdict": "answer", "answer": right}).status == 200
    anyone.post(f"/v1/runs/{run}/cancel")


def test_cases_have_pages(anyone: Caller) -> None:
    runs = [anyone.start("refund", {"amount": 60 + n})["id"] for n in range(5)]
    made = [anyone.case_of(run)["id"] for run in runs]
    seen: list[str] = []
    cursor = ""
    while True:
        page = anyone.get(f"/v1/cases?limit=2{cursor}").json
        seen += [case["id"] for case in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen))
    assert [case for case in seen if case in made] == made
    for run in runs:
        assert anyone.post(f"/v1/runs/{run}/cancel").status == 200
    for case in made:
        assert anyone.get(f"/v1/cases/{case}").json["state"] == "withdrawn"


# --------------------------------------------------------------------------------------- pipelines


def test_pipelines_are_told_as_check_tells_them(anyone: Caller, file: Path) -> None:
    listed = anyone.get("/v1/pipelines").json
    assert [one["name"] for one in listed["items"]] == [
        "say",
        "rest",
        "weight",
        "refund",
        "opinion",
    ]
    one = anyone.get("/v1/pipelines/refund").json
    assert one in listed["items"]
    assert one["doc"] == "Pays a refund, after a clerk signed it."
    report = anyone.get("/v1/pipelines/refund/analysis").json
    assert report["program"] == one["program"]
    assert report["analysis"] == _plain(check_report([str(file)]))["pipelines"]["refund"]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def test_a_pipeline_is_drawn(anyone: Caller) -> None:
    answer = anyone.get("/v1/pipelines/refund/graph.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "script-src" not in answer.headers["content-security-policy"]
    drawn = ET.fromstring(answer.body)
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"


def test_schemas_stand_for_themselves(anyone: Caller) -> None:
    schema = anyone.get("/v1/pipelines/opinion/schema").json
    for which in ("input", "result"):
        jsonschema.Draft202012Validator.check_schema(schema[which])
    jsonschema.validate({"why": "broken"}, schema["input"])
    jsonschema.validate({"fair": True, "why": "broken"}, schema["result"])
    for which, wrong in (("input", {}), ("input", {"why": 1}), ("result", {"fair": 1, "why": ""})):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema[which])


# ---------------------------------------------------------------------------------------- switches


def test_a_pipeline_is_killed_and_restored(anyone: Caller) -> None:
    try:
        off = anyone.post("/v1/switches", {"action": "kill", "pipeline": "say", "reason": "audit"})
        found = {"what": "pipeline", "name": "say", "state": "killed", "reason": "audit"}
        assert found in off.json["items"]
        run = anyone.start("say", {"what": "x"}, "?wait=30")
        assert (run["status"], run["result"]["code"]) == ("failed", "killed")
        assert anyone.start("rest", {}, "?wait=30")["status"] == "answered"
    finally:
        on = anyone.post("/v1/switches", {"action": "restore", "pipeline": "say"})
    assert on.json == {"items": [], "next": None} == anyone.get("/v1/switches").json
    assert anyone.start("say", {"what": "x"}, "?wait=30")["status"] == "answered"


def test_a_paused_pipeline_begins_nothing_and_loses_nothing(anyone: Caller) -> None:
    try:
        words = {"action": "pause", "pipeline": "say", "reason": "audit"}
        (paused,) = anyone.post("/v1/switches", words).json["items"]
        assert paused == {"what": "pipeline", "name": "say", "state": "paused", "reason": "audit"}
        run = anyone.start("say", {"what": "later"}, "?wait=1")
        assert run["status"] == "queued"
    finally:
        anyone.post("/v1/switches", {"action": "restore", "all": True})
    assert anyone.ended(run["id"])["result"] == {"value": "later"}


def test_a_killed_tool_stops_the_runs_that_call_it(anyone: Caller) -> None:
    try:
        anyone.post("/v1/switches", {"action": "kill", "tool": "pay"})
        assert anyone.start("refund", {"amount": 5}, "?wait=30")["result"]["code"] == "killed"
        assert anyone.start("say", {"what": "x"}, "?wait=30")["status"] == "answered"
    finally:
        anyone.post("/v1/switches", {"action": "restore", "tool": "pay"})


# ------------------------------------------------------------------------------------------ health


def test_it_says_how_it_does(anyone: Caller) -> None:
    assert anyone.get("/healthz").json["status"] == "ok"
    assert anyone.get("/readyz").json["status"] == "ok"


def test_metrics_are_read_by_the_parser_of_prometheus(anyone: Caller) -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    anyone.start("say", {"what": "counted"}, "?wait=30")
    cancelled = anyone.start("refund", {"amount": 70})["id"]
    anyone.case_of(cancelled)
    anyone.post(f"/v1/runs/{cancelled}/cancel")
    escalated = anyone.start("refund", {"amount": 60})["id"]
    case = anyone.case_of(escalated)
    anyone.post(f"/v1/cases/{case['id']}/decision", {"verdict": "no"})
    anyone.ended(escalated)
    answer = anyone.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {one.name: one for one in text_string_to_metric_families(answer.body.decode())}
    runs = {
        (s.labels["pipeline"], s.labels["outcome"]): s.value
        for s in families["pipelang_runs"].samples
    }
    assert runs["say", "answered"] >= 1
    assert runs["refund", "escalated"] >= 1
    reasons = {s.labels["reason"] for s in families["pipelang_escalations"].samples}
    assert reasons == {"signed"}
    failures = {s.labels["reason"] for s in families["pipelang_failures"].samples}
    failed = anyone.get("/v1/runs?status=failed&limit=200").json["items"]
    assert failures == {one["result"]["reason"] for one in failed} >= {"cancel"}
    tools = {s.labels["tool"] for s in families["pipelang_tool_calls"].samples}
    assert tools >= {"echo"}
    waits = families["pipelang_people_wait_seconds"]
    assert any(s.name.endswith("_count") and s.value >= 1 for s in waits.samples)
    labels = {name for one in families.values() for s in one.samples for name in s.labels}
    assert labels <= {"pipeline", "outcome", "reason", "tool", "le"}
