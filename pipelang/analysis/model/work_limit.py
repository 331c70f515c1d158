"""The limit of an analysis, in units of work that are counted, so that it ends alike on every
machine.

Each part of the analysis has a limit of its own, which the machine of the benchmark page reaches in
a part of `DEFAULT_SECONDS`; `check --time-limit` scales all of them. What does not fit is replaced
by bounds, never by a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

DEFAULT_SECONDS = 10.0

_seconds: ContextVar[float] = ContextVar("seconds", default=DEFAULT_SECONDS)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Set the limit for the analyses inside; None leaves it as it is."""
    if seconds is None:
        yield
        return
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def limited(units: int) -> int:
    """Scale a part's number of units, which is that of the default limit, to the one in force."""
    return max(1, int(units * _seconds.get() / DEFAULT_SECONDS))
