"""A rate lets through as many calls as it says in any span of its length, and no fewer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from pipelang.runtime.tools.rate_limits import Rates


@dataclass(frozen=True)
class Limited:
    """What counts of a tool."""

    name: str
    rate: tuple[int, int] | None
    binding: tuple[str, ...] | None = None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def take(rates: Rates, tool: Any) -> float:
    return rates.take(tool)


@pytest.mark.parametrize("count", [1, 3, 10])
@pytest.mark.parametrize("pause", [0.0, 0.07, 0.4, 1.0, 2.5])
def test_no_span_has_more_and_nobody_waits_in_vain(
    count: int, pause: float, clock: list[float]
) -> None:
    rates, tool, passed = Rates(), Limited("t", (count, 2)), []
    for _ in range(60):
        while wait := take(rates, tool):
            before = clock[0]
            clock[0] += wait
            assert sum(before - one < 2 for one in passed) == count
        passed.append(clock[0])
        clock[0] += pause
    for first, last in zip(passed, passed[count:], strict=False):
        assert last - first >= 2 - 1e-9


def test_tools_of_one_binding_share_their_rate(clock: list[float]) -> None:
    rates = Rates()
    assert take(rates, Limited("a", (1, 60), ("python", "m:f"))) == 0
    assert take(rates, Limited("b", (1, 60), ("python", "m:f"))) == pytest.approx(60)
    assert take(rates, Limited("b", (1, 60), ("python", "m:g"))) == 0
    assert take(rates, Limited("a", (1, 60))) == 0
    assert take(rates, Limited("a", None)) == 0


def test_threads_share_it() -> None:
    rates, tool, got = Rates(), Limited("t", (50, 3600)), []

    def work() -> None:
        got.extend(take(rates, tool) == 0 for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 50
