"""Work counted instead of timed, so that growth can be asserted on any machine."""

from __future__ import annotations

from collections.abc import Callable
from cProfile import Profile
from typing import Any


def calls(work: Callable[[], Any]) -> int:
    """How many calls of functions, of Python and of C, some work makes on this thread. A profiler
    counts them, which is written in C: a function of Python that is told of each takes longer than
    the work does.
    """
    counted = Profile(subcalls=False)
    counted.runcall(work)
    return sum(one.callcount for one in counted.getstats())


def grows_no_faster_than(power: float, work: Callable[[int], Any], size: int, factor: int) -> None:
    """Work on `factor` times as much makes at most `factor ** power` times the calls, and a tenth
    more. What is made once, such as tables, is made before the counting, by work of another size:
    a file that was parsed before is not parsed again.
    """
    work(size + 1)
    small, large = calls(lambda: work(size)), calls(lambda: work(size * factor))
    assert large <= 1.1 * factor**power * small, (small, large)
