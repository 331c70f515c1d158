"""Signals that end a command in order, as Ctrl-C does: SIGTERM, and SIGHUP when a terminal goes."""

from __future__ import annotations

import _thread
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

NAMES = ("SIGTERM", "SIGHUP")
SOON = 0.005
"""Seconds until an interruption that went nowhere is tried again."""

_last = signal.SIGINT
"""The signal that interrupted last; Ctrl-C has a handler of Python's own."""


def ending_signals() -> list[signal.Signals]:
    """The signals that end a command here; one that is ignored (`nohup`) stays so."""
    there = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [one for one in there if signal.getsignal(one) is not signal.SIG_IGN]


def end_by_signals() -> None:
    """Have these signals raise KeyboardInterrupt in the main thread, wherever that is."""
    try:
        for one in ending_signals():
            signal.signal(one, _interrupt)
    except ValueError:  # this is not the main thread: the host has its own ways
        return
    sys.unraisablehook = _interrupt_again


def _interrupt(number: int, frame: object) -> NoReturn:
    global _last
    _last = signal.Signals(number)
    raise KeyboardInterrupt


def _interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """Repeat an interruption that came inside a finalizer or the callback of a weak reference, of
    which there are many while modules are imported: Python prints what these raise and goes on, and
    the command would have, as if nobody had asked it to end.
    """
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    number, main = _last, _thread.get_ident()

    def interrupt() -> None:
        time.sleep(SOON)  # the callback is over by then; if another one has begun, this comes again
        if sys.platform == "win32":
            _thread.interrupt_main(number)
        else:
            signal.pthread_kill(main, number)  # a signal, for it may sleep by now

    _thread.start_new_thread(interrupt, ())
