"""Work counted instead of timed, so that growth can be asserted on any machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def calls(work: Callable[[], Any]) -> int:
    """How many calls of functions, of Python and of C, some work makes on this thread."""
    count = 0

    def seen(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def grows_no_faster_than(power: float, work: Callable[[int], Any], size: int, factor: int) -> None:
    """Work on `factor` times as much makes at most `factor ** power` times the calls, and a tenth
    more. What is made once, such as tables, is made before the counting, by work of another size:
    a file that was parsed before is not parsed again.
    """
    work(size + 1)
    small, large = calls(lambda: work(size)), calls(lambda: work(size * factor))
    assert large <= 1.1 * factor**power * small, (small, large)
