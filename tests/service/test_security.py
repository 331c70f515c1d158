"""OWASP's list for APIs (2023), a section each, and a hostile tenant. `SECURITY.md` names these."""

from __future__ import annotations

import hmac
import json
import select
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from pipelang.interfaces.service import guards, serving, tokens
from pipelang.interfaces.service.tokens import TokenFile

from .conftest import People
from .serving import Caller, ThreadServer, events_of

# ----------------------------------------------------- API1: objects that belong to somebody else


def test_another_tenant_sees_nothing(people: People) -> None:
    run = people.caller.start("refund", {"amount": 60})["id"]
    case = people.approver.case_of(run)["id"]
    other = people.stranger
    nowhere = other.get("/v1/runs/00000000000000000000").json
    paths = [
        ("GET", f"/v1/runs/{run}", None),
        ("POST", f"/v1/runs/{run}/cancel", {}),
        ("GET", f"/v1/runs/{run}/events", None),
        ("GET", f"/v1/cases/{case}", None),
        ("POST", f"/v1/cases/{case}/decision", {"verdict": "yes"}),
    ]
    for method, path, body in paths:
        answer = other.ask(method, path, body)
        assert (answer.status, answer.code) == (404, "unknown"), path
        # As if there were none: nothing but the id is another.
        assert answer.json.keys() == nowhere.keys()
        assert run not in answer.json["detail"] or path.startswith(f"/v1/runs/{run}")
    everything = json.dumps([_all(other, "/v1/runs"), _all(other, "/v1/cases?closed=true")])
    assert run not in everything
    assert case not in everything
    assert people.approver.get(f"/v1/cases/{case}").json["state"] == "open"
    assert people.caller.get(f"/v1/runs/{run}").json["status"] == "waiting"
    assert people.operator.get(f"/v1/runs/{run}").json["tenant"] == "acme"
    people.caller.post(f"/v1/runs/{run}/cancel")


def test_a_key_is_of_its_tenant(people: People) -> None:
    headers = {"Idempotency-Key": "the-same"}
    mine = people.caller.start("say", {"what": "mine"}, "?wait=30", headers=headers)
    theirs = people.stranger.start("say", {"what": "theirs"}, "?wait=30", headers=headers)
    assert mine["id"] != theirs["id"]
    assert theirs["result"] == {"value": "theirs"}
    assert (mine["tenant"], theirs["tenant"]) == ("acme", "evil")


def test_a_cursor_of_another_tenant_shows_nothing_of_theirs(people: People) -> None:
    for n in range(3):
        people.caller.start("say", {"what": str(n)}, "?wait=30")
    cursor = people.caller.get("/v1/runs?limit=1").json["next"]
    found = people.stranger.get(f"/v1/runs?limit=200&cursor={cursor}").json["items"]
    assert {run["tenant"] for run in found} <= {"evil"}


def test_runs_without_a_tenant_are_not_everybodys(people: People) -> None:
    run = people.operator.start("say", {"what": "x"}, "?wait=30")
    assert run["tenant"] is None
    assert people.caller.get(f"/v1/runs/{run['id']}").status == 404


def _all(caller: Caller, path: str) -> list[Any]:
    found: list[Any] = caller.get(path).json["items"]
    return found


# ------------------------------------------------------------------------ API2: who is who


def test_without_a_valid_token_nothing_is_told(
    guarded_server: ThreadServer, tokens: TokenFile, people: People
) -> None:
    assert people.nobody.get("/v1/runs").code == "no_token"
    valid, kept = tokens.new("kim", ["caller"], "acme")
    expired, _ = tokens.new("old", ["caller"], "acme", kept.created)
    revoked, gone = tokens.new("ex", ["caller"], "acme")
    tokens.revoke(gone.id)
    _, id, secret = valid.split("_", 2)
    tried = [
        expired,
        revoked,
        "",
        "x",
        f"plt_{id}_{'A' * 43}",
        f"plt_{'0' * 16}_{secret}",
        f"plt_{id}_{kept.sha256[:43]}",
        valid + "A",
        valid[:-1],
    ]
    for token in tried:
        answer = guarded_server.caller(token).get("/v1/runs")
        assert answer.status == 401, token
        assert answer.code in ("bad_token", "no_token")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        guarded_server.app.state.gate._failures.clear()
    basic = people.nobody.get("/v1/runs", headers={"Authorization": f"Basic {valid}"})
    assert basic.status == 401
    assert guarded_server.caller(valid).get("/v1/runs").status == 200
    # A cookie without the number of its login is none.
    assert (
        people.nobody.get("/v1/runs", headers={"Cookie": f"pipelang_session={valid}"}).status == 401
    )
    tokens.revoke(kept.id)
    assert guarded_server.caller(valid).get("/v1/runs").status == 401
    guarded_server.app.state.gate._failures.clear()


def test_wrong_tokens_are_limited_in_rate_and_right_ones_are_not(
    guarded_server: ThreadServer, people: People
) -> None:
    stranger = guarded_server.caller("plt_0000000000000000_" + "A" * 43)
    try:
        found = [stranger.get("/v1/runs") for _ in range(12)]
        assert [one.status for one in found] == [401] * 10 + [429] * 2
        assert 0 < int(found[-1].headers["retry-after"]) <= 60
        assert people.caller.get("/v1/runs").status == 200
    finally:
        guarded_server.app.state.gate._failures.clear()


def test_secrets_are_compared_in_constant_time(
    people: People, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong secret, an unknown id and no token at all take one comparison of equal lengths."""
    compared: list[tuple[int, int]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    class Watched:
        compare_digest = staticmethod(compare)

    monkeypatch.setattr("pipelang.interfaces.service.tokens.hmac", Watched)
    valid, _ = tokens.new("kim", ["caller"])
    for token in (valid, valid[:-1] + "!", f"plt_{'0' * 16}_{'A' * 43}", "nonsense", ""):
        tokens.principal(token)
    assert compared == [(64, 64)] * 5


def test_tokens_are_kept_as_hashes_for_their_owner_alone(tokens: TokenFile) -> None:
    made, kept = tokens.new("kim", ["caller"])
    text = tokens.path.read_text()
    assert made not in text
    assert made.split("_", 2)[2] not in text
    assert kept.sha256 in text
    assert tokens.path.stat().st_mode & 0o077 == 0


# --------------------------------------------------------------- API3: properties nobody may set


def test_nobody_sets_what_is_not_theirs(people: People) -> None:
    for more in ({"tenant": "evil"}, {"id": "x"}, {"status": "answered"}, {"run_id": "x"}):
        answer = people.caller.post("/v1/pipelines/say/runs", {"inputs": {"what": "x"}, **more})
        assert (answer.status, answer.code) == (422, "bad_shape")
    run = people.caller.start("refund", {"amount": 60})["id"]
    case = people.approver.case_of(run)
    assert "holder" not in case
    named = people.approver.post(
        f"/v1/cases/{case['id']}/decision", {"verdict": "yes", "by": "the boss"}
    )
    assert (named.status, named.code) == (422, "bad_shape")
    people.caller.post(f"/v1/runs/{run}/cancel")


# --------------------------------------------------------------------- API4: resources of ours


def test_what_may_be_asked_for_is_bounded(people: People) -> None:
    assert people.caller.get("/v1/runs?limit=1000000").status == 400
    answer = people.caller.post("/v1/pipelines/say/runs?wait=99999", {"inputs": {"what": "x"}})
    assert answer.status == 400
    large = people.caller.post("/v1/pipelines/say/runs", raw=b"{" + b" " * 11_000_000 + b"}")
    assert large.status == 413


def test_a_full_queue_refuses_and_says_when_to_come_back(file: Path) -> None:
    server = ThreadServer(file, at_once=1, most_queued=2)
    try:
        caller = server.caller()
        runs = [caller.start("rest", {"seconds": 30})["id"] for _ in range(3)]
        answer = caller.post("/v1/pipelines/rest/runs", {"inputs": {}})
        assert (answer.status, answer.code) == (429, "queue_full")
        assert int(answer.headers["retry-after"]) > 0
        for run in runs:
            caller.post(f"/v1/runs/{run}/cancel")
        assert caller.start("rest", {}, "?wait=30")["status"] == "answered"
    finally:
        server.close()


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/runs/x", "/cases"])
def test_a_slash_too_many_leads_to_a_path_of_the_same_place(people: People, path: str) -> None:
    """It led to `http`, also behind a proxy that speaks `https`, at the host of the request."""
    sent = {"Host": "elsewhere.example", "X-Forwarded-Proto": "https"}
    answer = people.caller.get(f"{path}/?limit=3", headers=sent)
    assert (answer.status, answer.headers["location"]) == (307, f"{path}?limit=3")


def test_headers_are_bounded(guarded_server: ThreadServer) -> None:
    with socket.create_connection(("127.0.0.1", guarded_server.port), 30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        try:
            for _ in range(64):
                connection.sendall(b"a" * 16_384)
            found = connection.recv(1000)
        except OSError:
            found = b""
        assert found == b"" or found.startswith(b"HTTP/1.1 400")


def test_who_does_not_come_to_the_point_is_cut_off(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.3)
    server = ThreadServer(file)
    try:
        with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
            connection.settimeout(20)
            try:
                found = connection.recv(1000)
            except ConnectionResetError:
                found = b""
            assert found == b""
        assert server.caller().get("/healthz").status == 200
    finally:
        server.close()


def test_a_body_that_does_not_come_is_not_waited_for(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "BODY_SECONDS", 0.3)
    server = ThreadServer(file)
    try:
        with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
            connection.sendall(
                b"POST /v1/pipelines/say/runs HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
    finally:
        server.close()


@pytest.mark.parametrize(
    ("path", "said", "sent", "status"),
    [
        ("/v1/pipelines/say/runs", 20_000_000, 1_000_000, 413),  # known from its headers
        ("/v1/pipelines/say/runs", None, 10_485_761, 413),  # known when so much has come
        ("/v1/pipelines/say/runs", 5_000_000, 1_000, 408),
        ("/v1/runs", 5_000_000, 1_000, 405),
        ("/v1/nothing", 5_000_000, 1_000, 404),
    ],
)
def test_an_answer_before_the_body_reaches_who_still_sends(
    path: str,
    said: int | None,
    sent: int,
    status: int,
    guarded_server: ThreadServer,
    people: People,
) -> None:
    """A connection that is closed with bytes unread takes the answer with it. That it was answered
    is waited for before the rest is sent, and it comes in pieces larger than what the system keeps.
    """
    with pytest.MonkeyPatch.context() as patch:
        if status == 408:
            patch.setattr(guards, "BODY_SECONDS", 0.1)
        how = "Transfer-Encoding: chunked" if said is None else f"Content-Length: {said}"
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Authorization: Bearer {people.caller.token}\r\n"
        head += f"Content-Type: application/json\r\n{how}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", guarded_server.port), 30) as connection:
            connection.sendall(head.encode())
            body = b" " * sent
            connection.sendall(b"%x\r\n%s\r\n" % (sent, body) if said is None else body)
            answered, _, _ = select.select([connection], [], [], 30)
            assert answered
            for _ in range(4):
                piece = b" " * ((said or sent + 4_000_000) - sent)
                piece = piece[: len(piece) // 4]
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if said is None else piece)
            assert connection.recv(1000).startswith(b"HTTP/1.1 %d " % status)


def test_who_sends_no_more_after_an_answer_is_let_go(
    guarded_server: ThreadServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "QUIET_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", guarded_server.port), 30) as connection:
        connection.sendall(
            b"POST /v1/pipelines/say/runs HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{"
        )
        found = b""
        while piece := connection.recv(1000):
            found += piece
        assert found.startswith(b"HTTP/1.1 413 ")
        assert b'"too_large"' in found


def test_clients_that_break_off_hurt_nobody(guarded_server: ThreadServer, people: People) -> None:
    run = people.caller.start("rest", {"seconds": 1})["id"]
    head = f"Host: localhost\r\nAuthorization: Bearer {people.caller.token}\r\n"
    for request in (
        f"GET /v1/runs/{run}/events HTTP/1.1\r\n{head}\r\n",
        f"POST /v1/pipelines/say/runs HTTP/1.1\r\n{head}"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
        "NONSENSE\r\n\r\n",
        "\x00\x01\x02",
    ):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", guarded_server.port), 30) as connection:
                connection.sendall(request.encode())
    assert people.caller.ended(run)["status"] == "answered"
    assert people.caller.start("say", {"what": "x"}, "?wait=30")["status"] == "answered"


def test_who_reads_slowly_keeps_nobody_waiting(
    guarded_server: ThreadServer, people: People
) -> None:
    run = people.caller.start("rest", {"seconds": 0.5})["id"]
    head = f"Host: localhost\r\nAuthorization: Bearer {people.caller.token}\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", guarded_server.port), 30) for _ in range(20)]
    try:
        for one in slow:
            one.sendall(f"GET /v1/runs/{run}/events HTTP/1.1\r\n{head}".encode())
        assert people.caller.ended(run)["status"] == "answered"
    finally:
        for one in slow:
            one.close()


# ------------------------------------------------------------------------- API5: what a role may

MATRIX = {
    "start": ("POST", "/v1/pipelines/say/runs", {"inputs": {"what": "x"}}),
    "list runs": ("GET", "/v1/runs", None),
    "read a run": ("GET", "/v1/runs/RUN", None),
    "cancel": ("POST", "/v1/runs/RUN/cancel", {}),
    "list cases": ("GET", "/v1/cases", None),
    "read a case": ("GET", "/v1/cases/CASE", None),
    "decide": ("POST", "/v1/cases/CASE/decision", {"verdict": "yes"}),
    "see switches": ("GET", "/v1/switches", None),
    "turn switches": ("POST", "/v1/switches", {"action": "restore", "all": True}),
    "see pipelines": ("GET", "/v1/pipelines", None),
    "see metrics": ("GET", "/metrics", None),
}
READS = {"list runs", "read a run", "list cases", "read a case", "see pipelines"}
MAY = {
    "caller": {*READS, "start", "cancel"},
    "approver": {*READS, "decide"},
    "operator": {*READS, "start", "cancel", "see switches", "turn switches", "see metrics"},
    "nobody": set(),
}


@pytest.mark.parametrize("who", MAY)
def test_a_role_may_what_is_its_own_and_no_more(people: People, who: str) -> None:
    caller: Caller = getattr(people, who)
    for act, (method, path, body) in MATRIX.items():
        run = case = ""
        if "RUN" in path or "CASE" in path:
            run = people.caller.start("refund", {"amount": 60})["id"]
            case = people.approver.case_of(run)["id"]
        answer = caller.ask(method, path.replace("RUN", run).replace("CASE", case), body)
        if act in MAY[who]:
            assert answer.status in (200, 202), (act, answer.body)
        else:
            refused = (401, "no_token") if who == "nobody" else (403, "forbidden")
            assert (answer.status, answer.code) == refused, act
        if run:
            people.operator.post(f"/v1/runs/{run}/cancel")


# ---------------------------------------------------------- API6: flows that must not be repeated


def test_somebody_else_must_sign_whatever_they_call_themselves(
    guarded_server: ThreadServer, people: People, tokens: TokenFile
) -> None:
    run = people.caller.start("opinion", {"why": "broken"})["id"]
    asked = people.approver.case_of(run)["id"]
    answer = {"verdict": "answer", "answer": {"fair": True, "why": "broken"}}
    assert people.approver.post(f"/v1/cases/{asked}/decision", answer).status == 200
    find = people.approver.until(
        lambda: people.approver.get(f"/v1/cases?run={run}").json["items"], bool
    )
    path = f"/v1/cases/{find[0]['id']}/decision"
    # The same person, with another token and the name written otherwise.
    again = guarded_server.caller(tokens.new("BOB", ["approver"], "acme")[0])
    for caller in (people.approver, again):
        refused = caller.post(path, {"verdict": "yes"})
        assert (refused.status, refused.code) == (403, "must_differ")
    assert people.other_approver.post(path, {"verdict": "yes"}).status == 200
    assert people.caller.ended(run)["status"] == "answered"


def test_two_who_decide_at_once_are_one(people: People) -> None:
    run = people.caller.start("refund", {"amount": 60})["id"]
    case = people.approver.case_of(run)["id"]
    found: list[int] = []

    def decide(caller: Caller, verdict: str) -> None:
        path = f"/v1/cases/{case}/decision"
        found.append(caller.post(path, {"verdict": verdict}).status)

    threads = [
        threading.Thread(target=decide, args=(caller, verdict))
        for caller, verdict in ((people.approver, "yes"), (people.other_approver, "no"))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [200] + [409] * 7


# ---------------------------------------------------------------- API7: requests in our name


@pytest.mark.parametrize(
    "given",
    [
        {"path": "/etc/passwd"},
        {"path": "desk.pipe"},
        {"url": "http://127.0.0.1:1/"},
        {"url": "file:///etc/passwd"},
        {"url": "http://169.254.169.254/latest/meta-data"},
    ],
)
def test_an_input_names_no_file_and_no_address(people: People, given: Any) -> None:
    answer = people.caller.post("/v1/pipelines/weight/runs", {"inputs": {"paper": given}})
    assert (answer.status, answer.code) == (422, "input")
    assert "root:" not in answer.json["detail"]


# ------------------------------------------------------------------------- API8: configuration


def test_errors_say_nothing_of_the_machine(people: People, folder: Path) -> None:
    broken = [
        people.caller.get("/v1/runs/none"),
        people.caller.post("/v1/pipelines/say/runs", raw=b"{"),
        people.caller.get("/v1/none"),
        people.nobody.get("/v1/runs"),
        people.caller.post("/v1/pipelines/weight/runs", {"inputs": {"paper": {"path": "x"}}}),
    ]
    for answer in broken:
        text = answer.body.decode()
        assert str(folder) not in text
        assert "Traceback" not in text
        assert "pipelang/" not in text
        assert "server" not in answer.headers


def test_a_mistake_of_ours_is_for_the_log(
    guarded_server: ThreadServer, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError(f"{tokens.__file__} plt_secret")

    monkeypatch.setattr(guarded_server.backend, "runs", broken)
    answer = people.caller.get("/v1/runs")
    assert (answer.status, answer.code) == (500, "broken")
    assert "secret" not in answer.body.decode()
    assert "RuntimeError" not in answer.body.decode()


def test_browsers_are_told_to_do_nothing_else(people: People) -> None:
    for path in ("/v1/runs", "/", "/openapi.json", "/nothing", "/healthz"):
        headers = people.nobody.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_another_page_reaches_nothing_on_this_machine(open_server: ThreadServer) -> None:
    """Without tokens it is the browser that must keep other pages out, and we that help it."""
    caller = open_server.caller()
    body = {"inputs": {"what": "x"}}
    path = "/v1/pipelines/say/runs"
    before = len(caller.get("/v1/runs?limit=200").json["items"])
    for headers, status, code in (
        ({"Origin": "https://evil.example"}, 403, "foreign_page"),
        ({"Origin": "null"}, 403, "foreign_page"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "foreign_page"),
        ({"Host": "evil.example"}, 421, "host"),
        ({"Host": "127.0.0.1.evil.example:80"}, 421, "host"),
        ({"Content-Type": "text/plain"}, 415, "media_type"),
    ):
        answer = caller.post(path, body, headers=headers)
        assert (answer.status, answer.code) == (status, code), headers
    assert len(caller.get("/v1/runs?limit=200").json["items"]) == before
    own = {"Origin": f"http://127.0.0.1:{caller.port}", "Sec-Fetch-Site": "same-origin"}
    assert caller.post(path, body, headers=own).status == 202


# ------------------------------------------------------------------------------ API9: inventory


def test_every_route_of_the_api_is_documented(open_server: ThreadServer) -> None:
    document = open_server.caller().get("/openapi.json").json
    documented = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    served = {
        (route.path, method)
        for route in open_server.app.routes
        if isinstance(route, Route) and route.path.startswith(("/v1/", "/healthz", "/readyz"))
        for method in (route.methods or ())
        if method != "HEAD"
    }
    assert served
    assert served <= documented


# --------------------------------------------------------------- API10: what others say to us

HOSTILE = (
    "</script><script>alert(1)</script>\n\nevent: end\ndata: {}\n\n"
    '" onload="alert(1)\r\nSet-Cookie: a=b\u2028{{ 7*7 }} \x1b[31m'
)


def test_what_a_tool_says_stays_data(people: People) -> None:
    run = people.caller.start("say", {"what": HOSTILE}, "?wait=30")
    assert run["result"] == {"value": HOSTILE}
    answer = people.caller.get(f"/v1/runs/{run['id']}")
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    heard = list(events_of(people.caller, run["id"]))
    assert [event.kind for event in heard].count("end") == 1
    assert heard[-1].data["result"] == {"value": HOSTILE}


def test_what_a_person_says_stays_data(people: People) -> None:
    run = people.caller.start("refund", {"amount": 60})["id"]
    case = people.approver.case_of(run)["id"]
    body = {"verdict": "no", "reason": HOSTILE}
    done = people.approver.post(f"/v1/cases/{case}/decision", body)
    assert done.json["verdict"]["reason"] == HOSTILE
    people.caller.ended(run)
    heard = list(events_of(people.caller, run))
    assert [event.kind for event in heard].count("end") == 1
