"""What an editor waits for, in CPU time: `python -m benchmarks.editor`.

Findings of a file after a key was pressed in it, and its numbers, as the language server makes both
of them. The least of several tries: what else the machine does only adds to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.language_server.analysis.job import prepare
from pipelang.interfaces.language_server.analysis.numbers import numbers_of
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.session import look

TRIES = 7
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


def main() -> int:
    """Print a row for each thing that is waited for."""
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
