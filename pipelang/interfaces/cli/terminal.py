"""The two streams: UTF-8 whatever the locale says, colour only where somebody sees it.

What comes from files, tools and models can act on nobody's terminal: `write` and `warn` let only
colours of ours through.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

WIDEST = 100
NARROWEST = 40
MOST_COLUMNS = 400
"""Width where COLUMNS asks for more than `WIDEST`."""


def open_closed() -> None:
    """Let streams that the process was started without (`>&-`) lead nowhere. Else the next file
    that is opened would take their place, and what is said would end up in it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def speak_utf8() -> None:
    """Write UTF-8. What is no text (a broken file name) is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def wants_colour(stream: TextIO) -> bool:
    """NO_COLOR says no, FORCE_COLOR says yes, else a terminal gets colours."""
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR")
    if forced:
        return forced not in ("0", "false")
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def text_width(stream: TextIO) -> int:
    """Columns for text: what COLUMNS says, also in a pipe; else those of the terminal, at most 100;
    100 for files and pipes. Never under 40.
    """
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked):
        return max(NARROWEST, min(MOST_COLUMNS, int(asked)))
    try:
        columns = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else WIDEST
    except (OSError, ValueError):
        columns = WIDEST
    return max(NARROWEST, min(WIDEST, columns or WIDEST))


def write(text: str) -> None:
    """To standard output, at once, without what would act on a terminal."""
    write_as_is(_for_people(text, sys.stdout))


def write_as_is(text: str) -> None:
    """To standard output, at once: text that is known to be harmless."""
    sys.stdout.write(text)
    sys.stdout.flush()


def warn(text: str) -> None:
    """A line for people on standard error, without what would act on a terminal."""
    sys.stderr.write(f"{_for_people(text, sys.stderr)}\n")
    sys.stderr.flush()


def _for_people(text: str, stream: TextIO) -> str:
    from pipelang.diagnostics.columns import for_people

    return for_people(text, wants_colour(stream))


def stop_writing() -> None:
    """After the reader has gone: nothing more can be written, and nobody need hear of it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
