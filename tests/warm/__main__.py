"""The process that commands are forked off: it imports everything once, then waits for requests.

A connection brings the three files of a command and the rest as JSON; it gets the number of the
process at once, and its exit code when it has ended. There are no threads here, as none survive a
fork.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import threading
from pathlib import Path

import pipelang

LIBRARIES = (
  "numpy", "numpy.fft", "numpy.ma", "numpy.random",
  "rich.console", "rich.live", "rich.table", "rich.text",
)  # fmt: skip
OF_SERVERS = ("mcp.server.stdio", "mcp.server.streamable_http_manager")
OF_COMMANDS = {"mcp": OF_SERVERS, "serve": OF_SERVERS, "graph": ("networkx",)}
"""What a command imports when it is run, and takes up to a second for."""


def warm_up(without: str) -> None:
    """Import all but a module, those that import it, and those of extras that are not there."""
    if without:
        sys.modules[without] = None  # type: ignore[assignment]  # importing it is an error
    for found in pkgutil.walk_packages(pipelang.__path__, "pipelang.", onerror=lambda _: None):
        if not found.name.endswith("__main__"):
            try:
                importlib.import_module(found.name)
            except ImportError as error:
                missing = error.__cause__ or error
                ours = str(getattr(missing, "name", None) or "pipelang").startswith("pipelang")
                if ours and not without:
                    raise
    sys.modules.pop(without, None)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()


def get_ready(words: list[str]) -> None:
    """Import what a command will need, so that the next of its kind finds it there."""
    for name in OF_COMMANDS.get(words[0], ()) if words else ():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def main(place: str, without: str) -> None:
    """Serve until the input ends."""
    warm_up(without)
    gc.freeze()
    assert threading.active_count() == 1
    server = socket.socket(socket.AF_UNIX)
    server.bind(place)
    server.listen(64)
    ended, woken = socket.socketpair()
    woken.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken.fileno())
    print("warm", flush=True)
    watch = selectors.DefaultSelector()
    for source in (sys.stdin, server, ended):
        watch.register(source, selectors.EVENT_READ)
    lines: dict[int, socket.socket] = {}
    while True:
        for key, _ in watch.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is server:
                line, _ = server.accept()
                asked, files = request(line)
                if not without:
                    get_ready(asked["words"])
                process = os.fork()
                if process == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    watch.close()
                    for one in (server, ended, woken, line, *lines.values()):
                        one.close()
                    become(asked, files)
                for file in files:
                    os.close(file)
                lines[process] = line
                say(line, process)
            else:
                ended.recv(1024)
                reap(lines)


def request(line: socket.socket) -> tuple[dict, list[int]]:
    """What a command is started with, and its files."""
    head, files, _, _ = socket.recv_fds(line, 8, 3)
    size, text = int.from_bytes(head, "big"), b""
    while len(text) < size:
        text += line.recv(size - len(text))
    return json.loads(text), files


def say(line: socket.socket, number: int) -> None:
    """Tell a number, if anybody still listens."""
    with contextlib.suppress(OSError):
        line.sendall(b"%d\n" % number)


def reap(lines: dict[int, socket.socket]) -> None:
    """Tell the exit codes of all that have ended."""
    while lines:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        line = lines.pop(process)
        say(line, os.waitstatus_to_exitcode(status))
        line.close()


def become(asked: dict, files: list[int]) -> None:
    """Be the process of a command, to its end."""
    code = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["cwd"])
        sys.argv = ["pipelang", *asked["words"]]
        # Where the tests run in the background, Ctrl-C is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stdin = os.fdopen(0, "r", closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        name = asked["module"]
        name = "pipelang.interfaces.cli.main" if name == "pipelang" else name
        code = importlib.import_module(name).main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else left.code is not None
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        # As a process of Python ends, but for taking its modules apart one by one.
        if asked["loaded"]:
            Path(asked["loaded"]).write_text("\n".join(sys.modules), encoding="utf-8")
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
