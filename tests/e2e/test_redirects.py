"""A server that sends a caller elsewhere is not followed: keys, prompts and bodies stay where they
were meant to go. Every client that talks HTTP is tried.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelang import Failed, Inbox, McpServer, Rejected, Runtime, Webhook
from pipelang.runtime.providers.anthropic import AnthropicProvider

from ..unit.runtime.stage import events, load
from .messages_server import KEY, MessagesServer, Reply

CODES = [301, 302, 303, 307, 308]


class Listener:
    """A web server on a port of its own that notes who came, and answers as it is told to."""

    def __init__(self, code: int = 200, location: str = "") -> None:
        self.came: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                listener.came.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(code)
                if location:
                    self.send_header("Location", location + self.path)
                self.send_header("Content-Length", "2")
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[Listener]:
    """Where nobody may come."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture(params=CODES)
def sender(request: pytest.FixtureRequest, elsewhere: Listener) -> Iterator[Listener]:
    """Sends everybody there."""
    listener = Listener(request.param, elsewhere.url)
    yield listener
    listener.close()


ASK = """
pipeline main(x: text) -> text {
  step s: text = ask say(x) by small { output 10 tokens max OPTIONS }
  return s
}
"""


def ask(folder: Path, url: str, options: str = "") -> Any:
    async def main() -> Any:
        provider = AnthropicProvider(KEY, url)
        runtime = Runtime(providers={"lab": provider})
        ready = load(folder, ASK.replace("OPTIONS", options)).pipeline("main", runtime=runtime)
        try:
            return await asyncio.wait_for(ready.run(x="q"), 30)
        finally:
            await provider.close()

    return asyncio.run(main())


@pytest.mark.parametrize("options", ["", "batch within 20s"])
def test_a_model(tmp_path: Path, sender: Listener, elsewhere: Listener, options: str) -> None:
    pytest.importorskip("anthropic", reason="an extra: pipelang-dsl[anthropic]")
    assert isinstance(ask(tmp_path, sender.url, options), Failed)
    assert sender.came
    assert elsewhere.came == []


def test_the_results_of_a_batch(tmp_path: Path, elsewhere: Listener) -> None:
    pytest.importorskip("anthropic", reason="an extra: pipelang-dsl[anthropic]")

    class Sly(MessagesServer):
        def _batch(self, name: str, status: str) -> dict[str, Any]:
            told = super()._batch(name, status)
            there = told["results_url"]
            return told | {"results_url": there and elsewhere.url + "/results"}

    with Sly(Reply.answer("a")) as server:
        result = ask(tmp_path, server.url, "batch within 20s")
    assert isinstance(result, Failed)
    (failed,) = events(result, "failed")
    assert "which is not the provider's address" in failed.data["message"]
    assert elsewhere.came == []


def test_an_mcp_server(tmp_path: Path, sender: Listener, elsewhere: Listener) -> None:
    pytest.importorskip("mcp", reason="an extra: pipelang-dsl[mcp]")
    text = """
    tool use(q: text) -> text { mcp "far" "use" effect read latency 1ms median succeeds 99% }
    pipeline main(q: text) -> text { step got = call use(q) return got }
    """

    async def main() -> Any:
        server = McpServer(url=sender.url + "/mcp", headers={"Authorization": "Bearer hush"})
        runtime = Runtime(mcp={"far": server})
        try:
            ready = load(tmp_path, text).pipeline("main", runtime=runtime)
            return await asyncio.wait_for(ready.run(q="a"), 30)
        finally:
            await runtime.close()

    assert isinstance(asyncio.run(main()), Failed)
    assert sender.came
    assert elsewhere.came == []


def test_a_webhook(tmp_path: Path, sender: Listener, elsewhere: Listener) -> None:
    text = """
    pipeline main(x: text) -> text {
      approve fine by boss within 1s showing x else reject "no"
      return x
    }
    """
    inbox = Inbox(webhook=Webhook(sender.url + "/hook", attempts=1))
    runtime = Runtime(people=inbox)
    ready = load(tmp_path, text).pipeline("main", runtime=runtime)
    assert isinstance(ready.run_sync(x="q"), Rejected)
    assert sender.came == ["POST /hook"]
    assert elsewhere.came == []


def test_the_trap_works(sender: Listener, elsewhere: Listener) -> None:
    """Whoever follows does get there."""
    import urllib.request

    with urllib.request.urlopen(sender.url + "/x") as response:
        assert json.load(response) == {}
    assert elsewhere.came == ["GET /x"]
