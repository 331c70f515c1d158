"""Outages from outside: a wire that can be cut, a disk that can be full, a clock that can jump."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import threading
from pathlib import Path


class Wire:
    """A TCP wire to a server: `hang` passes nothing on, `cut` ends all connections and takes none,
    `mend` ends both.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._open, self._flows, self._over = threading.Event(), threading.Event(), False
        self.mend()
        threading.Thread(target=self._accept, daemon=True).start()

    def hang(self) -> None:
        self._flows.clear()

    def cut(self) -> None:
        self._open.clear()
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()
        self._flows.set()

    def mend(self) -> None:
        self._open.set()
        self._flows.set()

    def close(self) -> None:
        self._over = True
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while not self._over:
            try:
                near, _ = self._listening.accept()
                if not self._open.is_set():
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to), 5)
            except OSError:
                continue
            self._pairs.append((near, far))
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        others = {near: far, far: near}
        with selectors.DefaultSelector() as ready, near, far:
            for end in others:
                ready.register(end, selectors.EVENT_READ)
            with contextlib.suppress(OSError):
                while True:
                    for key, _ in ready.select():
                        end = key.fileobj
                        assert isinstance(end, socket.socket)
                        data = end.recv(65536)
                        self._flows.wait()
                        if not data:
                            return
                        others[end].sendall(data)


class SmallDisk:
    """A file system of some megabytes in memory, which can be filled up."""

    def __init__(self, folder: Path, megabytes: int = 6) -> None:
        folder.mkdir()
        line = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode != 0:
            raise PermissionError(f"no file system can be mounted here: {done.stderr.strip()}")
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no byte."""
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def empty(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


class Clock:
    """A clock that workers and the store read by a file: seconds that it is ahead."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.jump(0.0)

    def jump(self, seconds: float) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds), encoding="ascii")
        os.replace(new, self.file)
