"""Servers for tests: one in a thread whose runs are in memory, and others in processes."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelang.interfaces.cli.service.deploying import checked_programs, deployed_in_memory
from pipelang.interfaces.runs.state_folder import StateFolder
from pipelang.interfaces.service.app import make_app
from pipelang.interfaces.service.backends.memory import MemoryBackend
from pipelang.interfaces.service.principals import local_principal
from pipelang.interfaces.service.serving import ServiceServer, listening
from pipelang.interfaces.service.sessions import Authenticator
from pipelang.interfaces.service.tokens import TokenFile
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.shared.kill_switches import Switches

from ..warm import Process, start

REPO = Path(__file__).resolve().parents[2]
SERVING = re.compile(r"^serving .*:(\d+)$", re.MULTILINE)


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem, whose form is looked at."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        found = self.json
        assert {"type", "title", "status", "code", "detail"} <= found.keys()
        assert found["status"] == self.status
        return str(found["code"])


class Caller:
    """Somebody with or without a token."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.port = port
        self.token = token

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.ask("POST", path, {} if body is None and "raw" not in more else body, **more)

    def start(self, pipeline: str, inputs: Any, query: str = "", **more: Any) -> Any:
        """A run that was started, as JSON."""
        answer = self.post(f"/v1/pipelines/{pipeline}/runs{query}", {"inputs": inputs}, **more)
        assert answer.status in (200, 202), answer.body
        return answer.json

    def ended(self, run: str) -> Any:
        """A run once it has ended."""
        return self.until(lambda: self.get(f"/v1/runs/{run}").json, lambda one: one["ended"])

    def case_of(self, run: str) -> Any:
        """The open case of a run, once there is one."""
        found = self.until(lambda: self.get(f"/v1/cases?run={run}").json["items"], bool)
        return found[0]

    def until(self, look: Any, holds: Any, seconds: float = 60.0) -> Any:
        """What `look` finds once it holds."""
        end = time.monotonic() + seconds
        while True:
            found = look()
            if holds(found):
                return found
            assert time.monotonic() < end, f"it never held: {found}"
            time.sleep(0.03)


@dataclass
class Event:
    """A server-sent event."""

    id: str | None
    kind: str
    data: Any


def events_of(
    caller: Caller, run: str, after: int | None = None, seconds: float = 60.0
) -> Iterator[Event]:
    """The events of a run as they come, until the server ends them."""
    headers = {} if caller.token is None else {"Authorization": f"Bearer {caller.token}"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    connection = http.client.HTTPConnection("127.0.0.1", caller.port, timeout=seconds)
    try:
        connection.request("GET", f"/v1/runs/{run}/events", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        found: dict[str, str] = {}
        for line in answer:
            text = line.decode().rstrip("\n")
            if text.startswith((":", "retry:")):
                continue
            if text:
                name, _, value = text.partition(": ")
                found[name] = value
            elif found:
                data = json.loads(found["data"])
                yield Event(found.get("id"), found.get("event", "message"), data)
                found = {}
    finally:
        connection.close()


class ThreadServer:
    """A server whose runs are in memory, in a thread of this process."""

    def __init__(self, file: Path, tokens: TokenFile | None = None, **options: Any) -> None:
        self.inbox, self.switches = Inbox(), Switches()
        state = StateFolder(file.parent / "state")
        state.prepare()
        programs = checked_programs([str(file)], options.pop("allow", ()))
        pipelines = deployed_in_memory(programs, state, self.inbox, self.switches)
        self.tokens = tokens
        self.backend = MemoryBackend(self.inbox, self.switches, **options)
        gate = Authenticator(tokens, None if tokens is not None else local_principal("ada"))
        self.app = make_app(self.backend, pipelines, gate, grace=2.0)
        self._socket = listening("127.0.0.1", 0)
        self.port: int = self._socket.getsockname()[1]
        self.server = ServiceServer(self.app)
        self.server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        end = time.monotonic() + 30
        while not self.server.started:
            assert self._thread.is_alive(), "the server did not start"
            assert time.monotonic() < end, "the server hangs"
            time.sleep(0.01)

    def _run(self) -> None:
        asyncio.run(self.server.serve([self._socket]))

    def caller(self, token: str | None = None) -> Caller:
        return Caller(self.port, token)

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server does not end"


class ProcessServer:
    """A server in a process of its own, by the command: forked off one that has imported all that
    it needs, or `fresh`.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> None:
        environment = {**os.environ, "PYTHONPATH": str(REPO), **(env or {})}
        words = ["serve", *arguments, "--port", "0"]
        self._log = folder / f"log{time.monotonic_ns()}"
        self.process: Process | subprocess.Popen[bytes]
        if fresh:
            line = [sys.executable, "-m", "pipelang", *words]
            with self._log.open("wb") as out, self._log.with_suffix(".err").open("wb") as err:
                self.process = subprocess.Popen(
                    line, cwd=folder, env=environment,
                    stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                )  # fmt: skip
        else:
            self.process = start(*words, cwd=folder, env=environment, log=self._log)
        while (found := SERVING.search(self.said())) is None:
            if self.process.poll() is not None:
                raise AssertionError(self.said())
            time.sleep(0.02)
        self.port = int(found[1])

    def said(self) -> str:
        """What it said so far."""
        logs = (self._log, self._log.with_suffix(".err"))
        return "".join(log.read_text(encoding="utf-8") for log in logs if log.exists())

    def caller(self, token: str | None = None) -> Caller:
        return Caller(self.port, token)

    def kill(self) -> None:
        """As when its machine is gone."""
        self.process.kill()
        self.process.wait(30)

    def close(self) -> int:
        """Ask it to stop, and wait: its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)
