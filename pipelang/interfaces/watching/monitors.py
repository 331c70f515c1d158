"""Monitors: the test of each line, which goes on from a kept state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pipelang.interfaces.watching.lines import WatchedLine
from pipelang.interfaces.watching.measurements import Measurement
from pipelang.semantics.watched.line_measures import LineMeasure
from pipelang.statistics.calibration import CalibrationProcess
from pipelang.statistics.means import MeanProcess
from pipelang.statistics.restarts import daily
from pipelang.statistics.shares import OF_BLOCKS, PARTS, ShareMonitor


class LineMonitor(Protocol):
    """A test that takes measurements day by day."""

    def take(self, found: Sequence[Measurement]) -> bool:
        """Take measurements of today; says whether there is now enough evidence for an alarm."""

    def close_part(self) -> bool:
        """End a quarter of the day; says the same of what it ends."""

    def close_day(self) -> bool:
        """End the day; says the same."""

    def state(self) -> dict[str, Any]:
        """The state, as JSON."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""

    @property
    def evidence(self) -> float:
        """The part of an alarm's evidence that is gathered: 1 alarms."""


class SharePassed:
    """A share of hits against its limit."""

    def __init__(
        self, limit: float, above: bool, alpha: float, sample: tuple[int, int] | None
    ) -> None:
        self._monitor = ShareMonitor(limit, above, alpha, sample, PARTS)

    def take(self, found: Sequence[Measurement]) -> bool:
        self._monitor.add(sum(bool(one.value) for one in found), len(found))
        return self._monitor.fires

    def close_part(self) -> bool:
        self._monitor.close_part()
        return self._monitor.fires

    def close_day(self) -> bool:
        self._monitor.close_day()
        return self._monitor.fires

    def state(self) -> dict[str, Any]:
        return self._monitor.state()

    def restore(self, state: dict[str, Any]) -> None:
        self._monitor.restore(state)

    @property
    def evidence(self) -> float:
        return self._monitor.value * self._monitor.alpha * (1 - OF_BLOCKS)


class WorstPassed:
    """Any run beyond a value that none may pass: the first one is proof."""

    def __init__(self) -> None:
        self._passed = False

    def take(self, found: Sequence[Measurement]) -> bool:
        self._passed = any(one.value for one in found)
        return self._passed

    def close_part(self) -> bool:
        return self._passed

    def close_day(self) -> bool:
        return self._passed

    def state(self) -> dict[str, Any]:
        return {"passed": self._passed}

    def restore(self, state: dict[str, Any]) -> None:
        self._passed = bool(state["passed"])

    @property
    def evidence(self) -> float:
        return float(self._passed)


class ProcessPassed:
    """A mean or a calibration error against its limit, by an e-process alone."""

    def __init__(self, process: MeanProcess | CalibrationProcess, alpha: float) -> None:
        self._process = process
        self._alpha = alpha

    def take(self, found: Sequence[Measurement]) -> bool:
        self._process.add([one.value for one in found])
        return self._process.process.reaches(self._alpha)

    def close_part(self) -> bool:
        return self._process.process.reaches(self._alpha)

    def close_day(self) -> bool:
        fires = self._process.process.reaches(self._alpha)
        self._process.next_day()
        return fires

    def state(self) -> dict[str, Any]:
        if isinstance(self._process, CalibrationProcess):
            return {"calibration": self._process.state()}
        return {"mean": self._process.process.state()}

    def restore(self, state: dict[str, Any]) -> None:
        if isinstance(self._process, CalibrationProcess):
            self._process.restore(state["calibration"])
        else:
            self._process.process.restore(state["mean"])

    @property
    def evidence(self) -> float:
        return self._process.value * self._alpha


def monitor_of(
    watched: WatchedLine, limit: float, alpha: float, sample: tuple[int, int] | None
) -> LineMonitor:
    """The monitor of a line: with a limit in its unit, and its part of the false alarms."""
    match watched.measure:
        case LineMeasure.WORST:
            return WorstPassed()
        case LineMeasure.QUANTILE:
            # "The p95 is at most 30 s" is "at most 5% take longer"; from below the other way.
            return SharePassed(watched.quantile, watched.above, alpha, None)
        case LineMeasure.MEAN:
            return ProcessPassed(MeanProcess(max(limit, 1e-12), weights=daily), alpha)
        case LineMeasure.CALIBRATION:
            return ProcessPassed(CalibrationProcess(limit, daily), alpha)
        case _:
            return SharePassed(limit, watched.above, alpha, sample)
