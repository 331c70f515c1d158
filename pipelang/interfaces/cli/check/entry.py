"""Answers a line of `pipelang check`: prints the cached output, or checks and prints the result."""

from __future__ import annotations

import gc
import os
import sys

from pipelang.interfaces.cli.check.cache import CachedOutput, entry, recall, remember
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write_as_is

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from pipelang.interfaces.cli.check.command_line import CheckLine


def check_and_leave(line: CheckLine) -> NoReturn:
    """Print what a check says, in a process that was started for it, and end the process.

    Taking it apart in an orderly way would take a quarter of its time. numpy is used without linear
    algebra, whose threads would wait for work by going round in circles.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = check(line, may_remember=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def check(line: CheckLine, may_remember: bool = False) -> int:
    """Print what a check says; the exit code."""
    width, colour = text_width(sys.stdout), wants_colour(sys.stdout)
    place = entry(line, width, colour) if may_remember else None
    said = None if place is None else recall(place)
    if said is not None:
        return _print(said)
    if may_remember:
        from pipelang.interfaces.cli.signals import end_by_signals

        end_by_signals()  # what is kept is said before anybody could have had enough of it
        # A file makes some 100,000 objects that stay, and hardly any garbage: looking for it would
        # take a twentieth of the check. With a folder of files some comes together.
        gc.set_threshold(400_000, 20, 20)
        # Once a large block was freed, glibc keeps smaller ones for what comes next, in place of
        # handing the pages of each array back to the system and taking them anew.
        bytes(4_000_000)
    from pipelang.interfaces.check.file_snapshot import FileSnapshot
    from pipelang.interfaces.cli.check.report import outcome

    seen = FileSnapshot()
    said = outcome(line, seen, width, colour)
    code = _print(said)
    if place is not None:
        remember(place, said, seen)
    return code


def _print(said: CachedOutput) -> int:
    if said.errors:
        warn(said.errors)
    write_as_is(said.output)
    return said.code
