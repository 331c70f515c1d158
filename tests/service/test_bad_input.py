"""Bad input: each is refused with its code and its place, and nothing happens."""

from __future__ import annotations

import base64
import json

import pytest

from .serving import Caller

START = "/v1/pipelines/say/runs"


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "bad_body"),
        (b"{", 400, "bad_body"),
        (b"nonsense", 400, "bad_body"),
        (b"\xff\xfe{}", 400, "bad_body"),
        (b'{"inputs": {"what": "a"}, "inputs": {}}', 400, "bad_body"),
        (b'{"inputs": {"what": NaN}}', 400, "bad_body"),
        (b'{"inputs": {"what": 1e999}}', 400, "bad_body"),
        (b'{"inputs": {"what": "\\ud800"}}', 400, "bad_body"),
        (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "bad_body"),
        (b"[]", 422, "bad_shape"),
        (b"null", 422, "bad_shape"),
        (b'{"inputs": []}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "colour": 1}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "priority": "1"}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "priority": 0}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "priority": true}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "delay": -1}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "delay": "soon"}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "thread": ""}', 422, "bad_shape"),
        (b'{"inputs": {"what": "a"}, "thread": "a\\u0000b"}', 422, "bad_shape"),
        (b'{"inputs": {"what": 5}}', 422, "input"),
        (b'{"inputs": {"whom": "a"}}', 422, "input"),
    ],
)
def test_a_body_that_is_wrong(anyone: Caller, raw: bytes, status: int, code: str) -> None:
    before = len(anyone.get("/v1/runs?limit=200").json["items"])
    answer = anyone.post(START, raw=raw)
    assert (answer.status, answer.code) == (status, code), answer.body
    assert len(anyone.get("/v1/runs?limit=200").json["items"]) == before


def test_an_unknown_field_is_named_with_those_that_there_are(anyone: Caller) -> None:
    answer = anyone.post(START, {"inputs": {"what": "a"}, "colour": 1})
    assert answer.json["detail"] == (
        "there is no field `colour`; there are: `inputs`, `thread`, `priority`, `delay`"
    )


def test_a_body_that_is_no_json_by_its_type(anyone: Caller) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = anyone.post(START, raw=b"{}", headers={"Content-Type": kind})
        assert (answer.status, answer.code) == (415, "media_type")


def test_a_body_that_is_too_large(anyone: Caller) -> None:
    answer = anyone.post(START, raw=b'{"inputs": {"what": "' + b"a" * 11_000_000 + b'"}}')
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize(
    "query",
    [
        "wait=-1",
        "wait=1.5",
        "wait=forever",
        "wait=301",
        "wait=1&wait=2",
        "await=1",
        "wait=%D9%A1",
    ],
)
def test_a_wait_that_is_none(anyone: Caller, query: str) -> None:
    answer = anyone.post(f"{START}?{query}", {"inputs": {"what": "a"}})
    assert (answer.status, answer.code) == (400, "bad_query")


@pytest.mark.parametrize("key", ["", "a" * 256, "with blank", "t\tb"])
def test_a_key_that_is_none(anyone: Caller, key: str) -> None:
    answer = anyone.post(START, {"inputs": {"what": "a"}}, headers={"Idempotency-Key": key})
    assert (answer.status, answer.code) == (400, "bad_key")


def test_two_keys_are_none(anyone: Caller) -> None:
    """The first was taken: with the other one first, the same request would be another run."""
    two = {"Idempotency-Key": "twice-a", "idempotency-key": "twice-b"}
    answer = anyone.post(START, {"inputs": {"what": "a"}}, headers=two)
    assert (answer.status, answer.code) == (400, "bad_key")


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "since=yesterday",
        "since=2026-01-01T00:00:00",
        "limit=0",
        "limit=201",
        "limit=x",
        "colour=red",
        "status=failed&status=failed",
    ],
)
def test_a_list_that_is_asked_for_wrongly(anyone: Caller, query: str) -> None:
    answer = anyone.get(f"/v1/runs?{query}")
    assert (answer.status, answer.code) == (400, "bad_query")


def test_a_cursor_from_elsewhere(anyone: Caller) -> None:
    for n in range(3):
        anyone.start("say", {"what": str(n)}, "?wait=30")
    cursor = anyone.get("/v1/runs?limit=1").json["next"]
    assert anyone.get(f"/v1/runs?limit=1&cursor={cursor}").status == 200
    mark = json.loads(base64.urlsafe_b64decode(cursor))[0]
    made = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode()
        for one in ([mark], [mark, "a", "b"], [mark, 1, "b"], {"a": 1}, None, [mark, 1.5, 2])
    ]
    for path in (
        f"/v1/runs?status=failed&cursor={cursor}",
        f"/v1/cases?cursor={cursor}",
        "/v1/runs?cursor=nonsense",
        "/v1/runs?cursor=%F0%9F%98%80",
        *(f"/v1/runs?cursor={one}" for one in made),
    ):
        answer = anyone.get(path)
        assert (answer.status, answer.code) == (404, "bad_cursor"), path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/runs/none"),
        ("GET", "/v1/runs/%00"),
        ("GET", "/v1/runs/..%2F..%2Fetc"),
        ("GET", "/v1/runs/" + "a" * 5000),
        ("POST", "/v1/runs/none/cancel"),
        ("GET", "/v1/runs/none/events"),
        ("GET", "/v1/cases/none"),
        ("POST", "/v1/cases/none/decision"),
        ("GET", "/v1/pipelines/none"),
        ("GET", "/v1/pipelines/none/analysis"),
        ("GET", "/v1/pipelines/none/graph.svg"),
        ("GET", "/v1/pipelines/none/schema"),
        ("POST", "/v1/pipelines/none/runs"),
        ("GET", "/v1/nothing"),
        ("GET", "/v1/"),
        ("GET", "/v1"),
    ],
)
def test_what_is_not_there(anyone: Caller, method: str, path: str) -> None:
    body = {"verdict": "yes"} if method == "POST" else None
    answer = anyone.ask(method, path, body)
    assert (answer.status, answer.code) == (404, "unknown")


def test_the_beginning_of_an_id_is_none(anyone: Caller) -> None:
    run = anyone.start("refund", {"amount": 60})["id"]
    case = anyone.case_of(run)["id"]
    assert anyone.get(f"/v1/runs/{run[:10]}").status == 404
    assert anyone.get(f"/v1/cases/{case[:6]}").status == 404
    anyone.post(f"/v1/runs/{run}/cancel")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_method_that_is_none(anyone: Caller, method: str) -> None:
    answer = anyone.ask(method, "/v1/runs")
    assert (answer.status, answer.code) == (405, "method")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdict": "perhaps"},
        {"verdict": True},
        {"verdict": "yes", "by": "somebody else"},
        {"verdict": "yes", "reason": 5},
        {"verdict": "yes", "reason": "a" * 1_001},
        {"verdict": "yes", "reason": "a\x00b"},
    ],
)
def test_a_decision_that_is_none(anyone: Caller, body: object) -> None:
    run = anyone.start("refund", {"amount": 60})["id"]
    case = anyone.case_of(run)["id"]
    answer = anyone.post(f"/v1/cases/{case}/decision", body)
    assert (answer.status, answer.code) == (422, "bad_shape")
    assert anyone.get(f"/v1/cases/{case}").json["state"] == "open"
    anyone.post(f"/v1/runs/{run}/cancel")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "kill"}, 422),
        ({"action": "kill", "tool": "pay", "pipeline": "say"}, 422),
        ({"action": "kill", "pipeline": "say", "all": True}, 422),
        ({"action": "explode", "all": True}, 422),
        ({"action": "pause", "tool": "pay"}, 422),
        ({"action": "kill", "tool": "pay", "reason": "a\x00b"}, 422),
        ({"action": "kill", "pipeline": "none"}, 404),
        ({"action": "kill", "tool": "none"}, 404),
    ],
)
def test_a_switch_that_is_none(anyone: Caller, body: object, status: int) -> None:
    answer = anyone.post("/v1/switches", body)
    assert answer.status == status
    assert answer.code in ("bad_shape", "unknown")
    assert anyone.get("/v1/switches").json["items"] == []


def test_an_event_that_is_none(anyone: Caller) -> None:
    run = anyone.start("say", {"what": "x"}, "?wait=30")["id"]
    for last in ("", "x", "-1", "1.5", "9" * 30):
        answer = anyone.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": last})
        assert (answer.status, answer.code) == (400, "bad_query")
