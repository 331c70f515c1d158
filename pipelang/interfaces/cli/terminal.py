"""The two streams: UTF-8 whatever the locale says, colour only where somebody sees it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

WIDEST = 100
NARROWEST = 72
LEAST = 40


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
    """Columns for text: those that `COLUMNS` says, or of the terminal; 100 for files and pipes. At
    most 100, and at least 72 unless `COLUMNS` says less.
    """
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said):
        return max(LEAST, min(WIDEST, int(said)))
    try:
        columns = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else WIDEST
    except (OSError, ValueError):
        columns = WIDEST
    return max(NARROWEST, min(WIDEST, columns or WIDEST))


def write(text: str) -> None:
    """To standard output, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def warn(text: str) -> None:
    """A line for people on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def stop_writing() -> None:
    """After the reader has gone: nothing more can be written, and nobody need hear of it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
