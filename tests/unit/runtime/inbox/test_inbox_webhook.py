"""Webhooks: cases go out signed and in the background, decisions come in signed and once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Case, Inbox, Refused, Runtime, Webhook, receive
from pipelang.runtime.inbox.case_records import case_json

from ..stage import Models, load

SECRET = "s3cret-of-the-hook"


class Taker:
    """A web server that answers with these codes in turn, the last one repeated; on `hold` it keeps
    everybody waiting until it is told to go on.
    """

    def __init__(self, codes: list[int], hold: bool = False) -> None:
        self.codes = codes
        self.go_on = threading.Event()
        if not hold:
            self.go_on.set()
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.enough = threading.Condition()
        self.url = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self.enough:
            self.came.append((headers, body))
            self.enough.notify_all()
            code = self.codes[min(len(self.came), len(self.codes)) - 1]
        self.go_on.wait(60)
        return code

    def wait_for(self, count: int) -> None:
        with self.enough:
            assert self.enough.wait_for(lambda: len(self.came) >= count, 60)


@contextmanager
def taking(codes: list[int], hold: bool = False) -> Iterator[Taker]:
    taker = Taker(codes, hold)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            code = taker.take(dict(self.headers), body)
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"{taker.url}/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    taker.url = f"http://127.0.0.1:{server.server_address[1]}/cases"
    try:
        yield taker
    finally:
        taker.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return "env:HOOK_SECRET"


def case(run_id: str = "r") -> Case:
    now = datetime.now(UTC)
    return Case(
        id="", run_id=run_id, pipeline="p", kind="escalation", name="g", role="boss", opened_at=now
    )


def signed(told: Any, secret: str = SECRET) -> tuple[bytes, str]:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return body, "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


# ---------------------------------------------------------------------------------------- out


LAST = """
import asyncio, sys
from datetime import UTC, datetime
from pipelang import Case, Inbox, Webhook

case = Case(
    id="", run_id="r", pipeline="p", kind="escalation", name="g", role="boss",
    opened_at=datetime.now(UTC),
)
asyncio.run(Inbox(webhook=Webhook(sys.argv[1])).file(case))
"""


def test_a_process_that_ends_tells_of_its_last_case() -> None:
    """A run that escalates opens a case last of all: threads that end with the process lost it."""
    with taking([503, 200]) as taker:
        subprocess.run([sys.executable, "-c", LAST, taker.url], check=True, timeout=60)
        assert len(taker.came) == 2


def test_a_case_is_posted_with_the_signature_of_its_body(secret: str) -> None:
    with taking([200]) as taker:
        inbox = Inbox(webhook=Webhook(taker.url, secret=secret))
        filed = asyncio.run(inbox.file(case()))
        taker.wait_for(1)
    headers, body = taker.came[0]
    assert json.loads(body) == case_json(filed)
    assert headers["X-Pipelang-Signature"] == signed(body)[1]
    assert headers["Content-Type"].startswith("application/json")
    assert SECRET.encode() not in body


def test_without_a_secret_nothing_is_signed() -> None:
    with taking([200]) as taker:
        asyncio.run(Inbox(webhook=Webhook(taker.url)).file(case()))
        taker.wait_for(1)
    assert "X-Pipelang-Signature" not in taker.came[0][0]


def test_what_may_pass_is_tried_again(secret: str) -> None:
    with taking([503, 429, 200]) as taker:
        webhook = Webhook(taker.url, secret=secret, longest_wait=0.01)
        asyncio.run(Inbox(webhook=webhook).file(case()))
        taker.wait_for(3)
        time.sleep(0.1)
    assert len(taker.came) == 3
    assert len({body for _, body in taker.came}) == 1


@pytest.mark.parametrize(("code", "times"), [(400, 1), (302, 1), (500, 3)])
def test_what_fails_is_told_and_given_up(
    code: int, times: int, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    with taking([code]) as taker, caplog.at_level(logging.WARNING, "pipelang.inbox"):
        webhook = Webhook(taker.url, secret=secret, longest_wait=0.01, attempts=3)
        filed = asyncio.run(Inbox(webhook=webhook).file(case()))
        taker.wait_for(times)
        for _ in range(100):
            if caplog.records:
                break
            time.sleep(0.02)
    assert len(taker.came) == times
    assert caplog.messages == [f"the webhook was not told of case {filed.id}: {code}"]


def test_no_run_waits_for_a_webhook(tmp_path: Path, secret: str) -> None:
    """One address keeps everybody waiting, nobody listens at the other: runs go on and end."""
    text = 'pipeline main(x: text) -> text { approve ok by boss else fail "no"  return x }'

    async def main(url: str) -> None:
        inbox = Inbox(webhook=Webhook(url, secret=secret, attempts=2, longest_wait=0.01))
        runtime = Runtime(providers={"lab": Models()}, people=inbox)
        handle = load(tmp_path, text).pipeline("main", runtime=runtime)
        running = [asyncio.ensure_future(handle.run(x="hi")) for _ in range(20)]
        while len(inbox.cases()) < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        for one in inbox.cases():
            await inbox.decide(one.id, yes=True, by="ada")
        for result in await asyncio.gather(*running):
            assert isinstance(result, Answered)

    with taking([200], hold=True) as taker:
        asyncio.run(main(taker.url))
        assert not taker.go_on.is_set()
        taker.go_on.set()
        taker.wait_for(20)
    asyncio.run(main("http://127.0.0.1:9/nobody"))


def test_a_listener_that_fails_fails_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def broken(case: Case) -> None:
        raise RuntimeError("broken")

    inbox = Inbox(listeners=[broken])
    asyncio.run(inbox.file(case()))
    assert len(inbox.cases()) == 1
    assert "a listener failed" in caplog.text


def test_only_web_addresses_are_posted_to() -> None:
    for url in ("file:///etc/passwd", "ftp://x", "example.org", "https://", "http://x:0"):
        with pytest.raises(ValueError, match="no address of a web server"):
            Webhook(url)


# ----------------------------------------------------------------------------------------- in


@pytest.fixture(params=["memory", "folder"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path, secret: str) -> Inbox:
    folder = None if request.param == "memory" else tmp_path / "inbox"
    return Inbox(folder, webhook=Webhook("http://127.0.0.1:9/", secret=secret, attempts=1))


def test_a_decision_comes_in_once(inbox: Inbox) -> None:
    async def main() -> None:
        filed = await inbox.file(case())
        told = {"case": filed.id, "yes": True, "by": "ada", "reason": "seen to"}
        closed = await receive(inbox, *signed(told))
        assert closed.verdict is not None
        assert (closed.verdict.by, closed.verdict.reason) == ("ada", "seen to")
        with pytest.raises(Refused, match="already decided: `ada` closed it"):
            await receive(inbox, *signed(told))

    asyncio.run(main())


def test_an_answer_comes_in(tmp_path: Path, inbox: Inbox) -> None:
    text = "pipeline main(x: text) -> text { step a: text = ask say(x) by boss  return a }"
    runtime = Runtime(providers={"lab": Models()}, people=inbox)
    handle = load(tmp_path, text).pipeline("main", runtime=runtime)

    async def main() -> None:
        running = asyncio.ensure_future(handle.run(x="hi"))
        while not inbox.cases():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        (asked,) = inbox.cases()
        with pytest.raises(Refused, match="expected a text, found a whole number"):
            await receive(inbox, *signed({"case": asked.id, "answer": 3, "by": "ada"}))
        await receive(inbox, *signed({"case": asked.id, "answer": "ho", "by": "ada"}))
        result = await running
        assert isinstance(result, Answered)
        assert result.value == "ho"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (b"{", "no JSON"),
        (b"[]", "must be an object"),
        (b"\xff", "no JSON"),
        (b'{"case": "\\ud800", "by": "ada", "yes": true}', "no JSON"),
        ({"yes": True, "by": "ada"}, "`case` must be a text"),
        ({"case": "ID", "yes": True}, "`by` must be a text"),
        ({"case": "ID", "by": "ada"}, "either `yes` or `answer`"),
        ({"case": "ID", "by": "ada", "yes": True, "answer": 1}, "either `yes` or `answer`"),
        ({"case": "ID", "by": "ada", "yes": "true"}, "must be true or false"),
        ({"case": "ID", "by": "ada", "yes": True, "reason": 3}, "`reason` must be a text"),
        ({"case": "zz", "by": "ada", "yes": True}, "there is no case"),
        ({"case": "SHORT", "by": "ada", "yes": True}, "there is no case"),
        ({"case": "ID", "by": "ada", "answer": 1}, "wants a yes or a no"),
    ],
)
def test_what_is_no_decision_is_refused(inbox: Inbox, told: Any, words: str) -> None:
    async def main() -> None:
        filed = await inbox.file(case())
        if isinstance(told, dict):
            named = {"ID": filed.id, "SHORT": filed.id[:6]}
            body = {**told, "case": named.get(told.get("case"), told.get("case"))}
            body = {key: value for key, value in body.items() if value is not None}
        with pytest.raises(Refused, match=words):
            await receive(inbox, *signed(body if isinstance(told, dict) else told))
        assert inbox.case(filed.id).state == "open"

    asyncio.run(main())


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_signature_is_a_header_as_servers_give_it(inbox: Inbox, kind: type) -> None:
    """ASGI has headers as bytes, which were an error of Python."""

    async def main() -> None:
        filed = await inbox.file(case())
        body, signature = signed({"case": filed.id, "yes": True, "by": "ada"})
        decided = await receive(inbox, body, kind(b" " + signature.encode()))
        assert decided.state != "open"

    asyncio.run(main())


def test_what_is_not_signed_is_refused(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        filed = await inbox.file(case())
        body, signature = signed({"case": filed.id, "yes": True, "by": "ada"})
        bare = signature[7:]
        wrong: list[Any] = [None, "", "sha256=", "sha256=é", bare, signed(body, "other")[1]]
        wrong += ["sha256=\udcff", b"", b"sha256=\xff", bare.encode(), 7, [signature]]
        for one in wrong:
            with pytest.raises(Refused, match="signature is not that of the body"):
                await receive(inbox, body, one)
        with pytest.raises(Refused, match="signature is not that of the body"):
            await receive(inbox, body + b" ", signature)
        monkeypatch.delenv("HOOK_SECRET")
        with pytest.raises(Refused, match="nothing behind `env:HOOK_SECRET`"):
            await receive(inbox, body, signature)
        with pytest.raises(Refused, match="has no secret"):
            await receive(Inbox(), body, signature)
        assert inbox.case(filed.id).state == "open"

    asyncio.run(main())
