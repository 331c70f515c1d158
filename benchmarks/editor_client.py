"""An editor of few lines: starts `pipelang lsp` as a process and speaks the protocol with it.

For benchmarks and for trials from outside: what it measures is what passes between a key and an
answer on the wire. Messages are kept with the moment at which they came, and waiting is for a
message.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[1]
PATIENCE = 120.0
"""Seconds after which a wait is given up: something hangs then."""

Message = dict[str, Any]


class NoAnswer(Exception):
    """The server ended, or said nothing in time."""


class Refused(Exception):
    """The server answered a request by an error."""


class EditorClient:
    """One server on a folder, and all that it has said. Use it as a context."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.messages: list[tuple[float, Message]] = []
        self._arrived = threading.Condition()
        self._writing = threading.Lock()
        self._count = 0
        self._versions: dict[str, int] = {}
        self._ended = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelang", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPO), **environment},
        )
        threading.Thread(target=self._read, daemon=True).start()
        workspace = {
            "codeLens": {"refreshSupport": True},
            "inlayHint": {"refreshSupport": True},
            "didChangeWatchedFiles": {"dynamicRegistration": True},
            "workspaceEdit": {"documentChanges": True},
        }
        self.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder.as_uri(),
                "capabilities": {"workspace": workspace},
                "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}],
            },
        )
        self.tell("initialized", {})

    def __enter__(self) -> EditorClient:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._process.poll() is None:
                self.ask("shutdown", None)
                self.tell("exit", None)
            self._process.wait(10)
        finally:
            self._process.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    # ------------------------------------------------------------------------------ the wire

    def tell(self, method: str, params: object) -> float:
        """Send a notification; the moment at which it was sent."""
        self._send({"method": method, "params": params})
        return time.perf_counter()

    def ask(self, method: str, params: object, patience: float = PATIENCE) -> Any:
        """The result of a request. Raises `Refused` for an error and `NoAnswer`."""
        number = self.begin(method, params)
        _, answer = self.wait(lambda message: message.get("id") == number, patience=patience)
        if "error" in answer:
            raise Refused(answer["error"].get("message"))
        return answer.get("result")

    def begin(self, method: str, params: object) -> int:
        """Send a request without waiting for it; its number."""
        self._count += 1
        self._send({"id": self._count, "method": method, "params": params})
        return self._count

    def wait(
        self, wanted: Callable[[Message], bool], since: int = 0, patience: float = PATIENCE
    ) -> tuple[float, Message]:
        """The first message that is wanted, from number `since` on, and when it came."""
        until = time.monotonic() + patience
        at = since
        with self._arrived:
            while True:
                for moment, message in self.messages[at:]:
                    if wanted(message):
                        return moment, message
                at = len(self.messages)
                if self._ended or not self._arrived.wait(until - time.monotonic()):
                    raise NoAnswer("the server ended" if self._ended else "nothing came in time")

    def _send(self, message: Message) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        with self._writing:
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
            self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while head := stream.readline():
            size = 0
            while head.strip():
                name, _, value = head.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
                head = stream.readline()
            body = stream.read(size)
            moment = time.perf_counter()
            message = json.loads(body)
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": None})
            elif "method" not in message:
                message.pop("method", None)
            with self._arrived:
                self.messages.append((moment, message))
                self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    # ------------------------------------------------------------------------------ files

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def document(self, name: str) -> Message:
        return {"textDocument": {"uri": self.uri(name)}}

    def at(self, name: str, line: int, character: int) -> Message:
        """The arguments of a request about a place."""
        return {**self.document(name), "position": {"line": line, "character": character}}

    def open(self, name: str, text: str) -> float:
        self._versions[name] = 1
        item = {"uri": self.uri(name), "languageId": "pipelang", "version": 1, "text": text}
        return self.tell("textDocument/didOpen", {"textDocument": item})

    def close(self, name: str) -> None:
        self.tell("textDocument/didClose", self.document(name))

    def edit(
        self, name: str, start: tuple[int, int], end: tuple[int, int], text: str
    ) -> tuple[float, int]:
        """Put a text in the place of another; when, and the version that is then."""
        self._versions[name] += 1
        places = [{"line": line, "character": column} for line, column in (start, end)]
        change = {"range": {"start": places[0], "end": places[1]}, "text": text}
        whose = {"uri": self.uri(name), "version": self._versions[name]}
        params = {"textDocument": whose, "contentChanges": [change]}
        return self.tell("textDocument/didChange", params), self._versions[name]

    def findings(self, name: str, version: int, since: int = 0) -> tuple[float, list[Message]]:
        """The first findings of a file that are of a version or a later one, and when they came."""
        uri = self.uri(name)

        def wanted(message: Message) -> bool:
            params = message.get("params") or {}
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and params["uri"] == uri
                and (params.get("version") or 0) >= version
            )

        moment, message = self.wait(wanted, since)
        return moment, message["params"]["diagnostics"]

    def state(self, name: str, *states: str, since: int = 0) -> float:
        """Wait until the numbers of a file are in one of these states; when they were."""
        uri = self.uri(name)

        def wanted(message: Message) -> bool:
            params = message.get("params") or {}
            return (
                message.get("method") == "pipelang/status"
                and params["uri"] == uri
                and params["state"] in states
            )

        return self.wait(wanted, since)[0]
