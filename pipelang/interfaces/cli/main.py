"""`pipelang`: the commands, each in a module of its own that is imported when it is called.

So `--help` and `--version` load nothing but click, and a plain `pipelang check` not even that.
"""

from __future__ import annotations

import errno
import gc
import os
import sys

from pipelang.interfaces.cli.exit_codes import INTERNAL_ERROR, INTERRUPTED, NO_READER, USAGE
from pipelang.interfaces.cli.terminal import open_closed, speak_utf8, stop_writing, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk that is full, or of a share of it that is used up."""
NO_WAY = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)
"""Errors of a place that a name leads to: even to ask whether something is there fails by them."""

MOST_SHOWN = 200
"""Characters of a name that are shown: one may be too long."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code. Never shows a traceback unless PIPELANG_DEBUG is set."""
    open_closed()
    speak_utf8()
    if arguments is None:
        _collect_seldom()
    try:
        code = _call(arguments)
        sys.stdout.flush()
        if arguments is None:
            _leave_it_to_the_system()
            _have_caught_it()
        return code
    except BrokenPipeError:
        stop_writing()
        return NO_READER
    except KeyboardInterrupt:
        warn("interrupted")
        _have_caught_it()
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            stop_writing()
            try:
                warn(f"pipelang: nothing more can be written: {error.strerror}")
            except OSError:  # standard error goes there too
                stop_writing()
            return USAGE
        if isinstance(error, OSError) and error.errno in NO_WAY and error.filename is not None:
            name = str(error.filename)
            shown = name if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]}..."
            warn(f"error: `{shown}`: {error.strerror}")
            return USAGE
        if isinstance(error, FileNotFoundError) and error.filename is None and _is_nowhere():
            warn("error: the folder that this command was called in is gone")
            return USAGE
        if os.environ.get("PIPELANG_DEBUG"):
            raise
        said = " ".join(f"{type(error).__name__}: {error}".split())
        warn(f"pipelang: internal error: {said} (set PIPELANG_DEBUG=1 for the traceback)")
        return INTERNAL_ERROR


def _is_nowhere() -> bool:
    """Whether the folder in which this process stands was taken away."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _collect_seldom() -> None:
    """Look for garbage less often, in a process of ours: most of what it makes while it starts
    lives as long as it does.
    """
    gc.set_threshold(100_000, 20, 20)


def _leave_it_to_the_system() -> None:
    """Look for no garbage on the way out: with modules and classes by the thousand, that takes
    longer than most commands.
    """
    gc.disable()
    gc.freeze()


def _have_caught_it() -> None:
    """Let Python forget an interruption that came while it ran code from a string (a dataclass is
    made so, and most imports make one): it would end this process by SIGINT whatever its exit code,
    though the interruption was caught. The next string that it runs resets that.
    """
    exec("", {})


def _call(arguments: Sequence[str] | None) -> int:
    """Call the command that a line names; None is the line that this process was started with."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] == "check":
        from pipelang.interfaces.cli.check.command_line import read_line

        line = read_line(words[1:])
        if line is not None:
            from pipelang.interfaces.cli.check.entry import check, check_and_leave

            # A process that lives on may be older than the code on the disk: it gets no cache.
            if arguments is None:
                check_and_leave(line)
            return check(line)
    from pipelang.interfaces.cli.commands import call
    from pipelang.interfaces.cli.signals import end_by_signals

    if arguments is None:
        end_by_signals()
    return call(arguments)
