"""Signals that end a command in order, as Ctrl-C does: SIGTERM, and SIGHUP when a terminal goes."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

NAMES = ("SIGTERM", "SIGHUP")


def ending_signals() -> list[signal.Signals]:
    """The signals that end a command here; one that is ignored (`nohup`) stays so."""
    there = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [one for one in there if signal.getsignal(one) is not signal.SIG_IGN]


def end_by_signals() -> None:
    """Have these signals raise KeyboardInterrupt in the main thread."""
    try:
        for one in ending_signals():
            signal.signal(one, _interrupt)
    except ValueError:  # this is not the main thread: the host has its own ways
        return


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
