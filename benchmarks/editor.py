"""What an editor waits for: `python -m benchmarks.editor`, in CPU time; `--wall`, by the clock.

Findings of a file after a key was pressed in it, and its numbers, as the language server makes both
of them. The least of several tries: what else the machine does only adds to it. By the clock it is
what passes between a key and the message on the wire, with a real server, the least and the median
of them and what the server's process has worked in between.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.editor_client import EditorClient
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.language_server.analysis.job import prepare
from pipelang.interfaces.language_server.analysis.numbers import numbers_of
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.session import look

TRIES = 7
KEYS = 20
TYPING = 0.12
"""Seconds between the keys of somebody who types quickly."""
REPO = Path(__file__).parents[1]
SUPPORT = REPO / "examples/support/support.pipe"

PIPELINE = """\
pipeline p{0}(a: text max 100 tokens) -> text {{
  budget $1

  step b: text max 100 tokens = ask q(a) by haiku {{
    accuracy 95%
    timeout  10s
    output   20 tokens mean, 60 tokens max
  }} else fail "no"

  step c: text max 100 tokens = ask q(b) by haiku {{
    accuracy 95%
    timeout  10s
    output   20 tokens mean, 60 tokens max
  }} else fail "no"

  gate g: b != "" else reject
  return c
}}

"""


def large() -> str:
    """A text of 20,000 lines."""
    head = 'use std.tiers\n\nprompt q(a: text max 100 tokens) """Say {{ a }}"""\n\n'
    return head + "".join(PIPELINE.format(number) for number in range(1052))


def least(act: Callable[[int], object]) -> float:
    """The least CPU time of several tries, in milliseconds."""
    times = []
    for number in range(TRIES):
        start = time.process_time()
        act(number)
        times.append(time.process_time() - start)
    return min(times) * 1000


def numbers(path: str, text: str) -> object:
    """A job of the worker without its advice."""
    loader = OpenFiles({path: text})
    return numbers_of(check_file(path, loader, Configs(loader)))


def worked(pid: int) -> float:
    """Seconds of CPU that a process has had (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def by_the_clock() -> int:
    """Print what passes between a key and its answers, and while somebody types on."""
    text = SUPPORT.read_text(encoding="utf-8")
    end = (text.count("\n"), 0)
    found: list[float] = []
    shown: list[float] = []
    with EditorClient(SUPPORT.parent) as editor:
        editor.open("support.pipe", text)
        editor.state("support.pipe", "current")
        begun = worked(editor.pid)
        for number in range(KEYS):
            since = len(editor.messages)
            at, version = editor.edit("support.pipe", end, end, f"# {number}\n")
            found.append(editor.findings("support.pipe", version, since)[0] - at)
            shown.append(editor.state("support.pipe", "current", since=since) - at)
        each = (worked(editor.pid) - begun) / KEYS
        typed = []
        for number in range(KEYS):
            since = len(editor.messages)
            at, version = editor.edit("support.pipe", end, end, f"{number} ")
            typed.append((at, version, since))
            time.sleep(TYPING)
        late = [editor.findings("support.pipe", v, since)[0] - at for at, v, since in typed]
    rows = {"findings": found, "numbers, with the pause": shown, "findings, typing on": late}
    for name, times in rows.items():
        least, middle, most = (1e3 * x for x in (min(times), statistics.median(times), max(times)))
        print(f"{name:24} {least:5.0f} ms, median {middle:5.0f}, most {most:5.0f}")
    print(f"{'the server, a key':24} {each * 1e3:5.0f} ms of CPU; load {os.getloadavg()[0]:.1f}")
    return 0


def main() -> int:
    """Print a row for each thing that is waited for."""
    if "--wall" in sys.argv[1:]:
        return by_the_clock()
    prepare()
    path, text = str(SUPPORT), SUPPORT.read_text(encoding="utf-8")
    big = large()
    rows = [
        (
            f"findings, {text.count(chr(10)):,} lines",
            lambda n: look(path, {path: f"{text}# {n}\n"}),
        ),
        (f"numbers, {text.count(chr(10)):,} lines", lambda n: numbers(path, f"{text}# {n}\n")),
        (
            f"findings, {big.count(chr(10)):,} lines",
            lambda n: look("b.pipe", {"b.pipe": f"{big}# {n}\n"}),
        ),
    ]
    for name, act in rows:
        print(f"{name:24} {least(act):7.0f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
