"""Patience with a database that is away, in threads: a run must not take that for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pipelang.runtime.durable.address import StoreUnreachable

PAUSE = 0.5
"""Seconds between two tries to reach a database that is away."""

T = TypeVar("T")


def patiently(work: Callable[[], T]) -> T:
    """Do something with a store, again and again while it is away."""
    while True:
        try:
            return work()
        except StoreUnreachable:
            time.sleep(PAUSE)
