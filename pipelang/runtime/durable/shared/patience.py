"""Patience with a database that is away, in threads: a run must not take that for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from pipelang.runtime.durable.address import StoreUnreachable
from pipelang.runtime.durable.database_errors import may_pass

PAUSE = 0.5
"""Seconds between two tries to reach a database that is away."""

T = TypeVar("T")


def patiently(work: Callable[[], T]) -> T:
    """Do something with a store, again and again while it is away. Raises `StoreUnreachable` for
    what no waiting mends.
    """
    while True:
        try:
            return work()
        except StoreUnreachable as away:
            if isinstance(away.__cause__, SQLAlchemyError) and not may_pass(away.__cause__):
                raise
        time.sleep(PAUSE)
