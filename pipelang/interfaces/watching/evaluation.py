"""Evaluation of a pipeline's watched lines on what its runs did since the last time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.observation.labels import AnswerLabel, labels_from
from pipelang.interfaces.observation.records import (
    DAY,
    ObservedRun,
    RunSource,
    clocks_disagree,
    day_of,
    is_of,
)
from pipelang.interfaces.watching.baselines import (
    FrozenBaseline,
    baseline_from,
    frozen,
    with_tolerance,
)
from pipelang.interfaces.watching.changes import what_changed
from pipelang.interfaces.watching.kept_state import WatchState, set_right
from pipelang.interfaces.watching.lines import WatchedLine, lines_of
from pipelang.interfaces.watching.measurements import Measurement, measurements
from pipelang.interfaces.watching.monitors import LineMonitor, monitor_of
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.watched.line_measures import LineMeasure
from pipelang.statistics.calibration import calibration_error
from pipelang.statistics.intervals import exact_share, mean_interval, quantile_at
from pipelang.statistics.shares import PARTS, days_to_find

if TYPE_CHECKING:
    from pipelang.runtime.inbox.cases import Case

ALPHA = 0.05
"""False alarms of all lines of a pipeline together, over their whole life."""

OF_BASELINE = 0.2
"""The part of a line's false alarms that the bound of its baseline takes (1% of 5%)."""

PART = DAY / PARTS

GRACE = 600.0
"""Seconds after its end at which a day is closed: what ended in it is recorded by then."""

CHANGE = 0.4
"""The relative change of which is said how many days it takes to be found."""


class LineState(Enum):
    """The state of a watched line."""

    QUIET = "quiet"
    ALERT = "alert"
    RECOVERED = "recovered"
    WAITING = "waits for a baseline"
    UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class LineStatus:
    """A watched line as it stands: `value` over its period with the exact interval, over so many
    `count` runs or labels; the `limit` that it is held to; `evidence`, of which 1 is an alarm; and
    the days in which a change by 40% would be found, with the value that it leads to. `alert` is
    what is to be told, `new` says that nobody was told yet.
    """

    watched: WatchedLine
    state: LineState
    value: float | None = None
    low: float | None = None
    high: float | None = None
    count: int = 0
    limit: float | None = None
    evidence: float = 0.0
    days: float | None = None
    changed_to: float | None = None
    note: str = ""
    alert: dict[str, Any] | None = None
    new: bool = False

    def as_json(self) -> dict[str, Any]:
        line = self.watched.line
        return {
            "line": line.text,
            "default": self.watched.is_default,
            "state": self.state.value,
            "observed": self.value,
            "low": self.low,
            "high": self.high,
            "count": self.count,
            "limit": self.limit,
            "evidence": min(self.evidence, 1e12),
            "finds": None
            if self.changed_to is None
            else {"value": self.changed_to, "days": self.days},
            "role": line.role,
            "note": self.note or None,
            "alert": self.alert,
        }


def name_of(pipeline: str, release: str) -> str:
    """The name under which the state of a watch is kept."""
    return f"{pipeline}.{release[:12]}"


def evaluate(
    program: p.Program,
    pipeline: p.Pipeline,
    source: RunSource,
    release: str,
    against: str | None = None,
) -> tuple[list[LineStatus], WatchState]:
    """The lines of a pipeline, for the runs of the program of a hash, and the state to keep once
    alerts are told. `against` is the program of the baseline, by default the same one, in its first
    days.
    """
    now = source.now()
    state = WatchState.read(source.recall(name_of(pipeline.name, release)))
    lines = lines_of(program, pipeline)
    for record in state.lines.values():
        set_right(record, now)
    since = _since(lines, state, now)
    every = source.runs(pipeline.name, since)
    runs = [run for run in every if is_of(run, release) and not clocks_disagree(run, now)]
    cases = [case for case in source.cases(pipeline.name) if not _is_before(case, since)]
    labels = labels_from(program, pipeline.name, cases).labels
    others: list[ObservedRun] = []
    if against is not None:
        older = source.runs(pipeline.name, 0.0)
        others = [run for run in older if run.program.startswith(against[:12])]
    known = _Known(
        pipeline,
        runs,
        [label for label in labels if release.startswith(label.program)],
        others,
        [label for label in labels if against and label.program.startswith(against[:12])],
        against,
        now,
        min((day_of(run.started) for run in runs), default=day_of(now)),
    )
    share = ALPHA / max(1, sum(one.measure is not LineMeasure.NONE for one in lines))
    return [_line(known, one, state, share) for one in lines], state


def _is_before(case: Case, since: float) -> bool:
    """Whether a case was closed before a moment."""
    return case.closed_at is not None and case.closed_at.timestamp() < since


def _since(lines: Sequence[WatchedLine], state: WatchState, now: float) -> float:
    """The moment from which runs are needed: that of the last closed day of every line, and the
    longest period and two weeks before it, for what changed.
    """
    closed: list[float] = []
    for one in lines:
        record = state.lines.get(one.line.text)
        if one.measure is LineMeasure.NONE:
            continue
        if record is None or "closed" not in record:
            return 0.0
        closed.append((record["closed"] + 1) * DAY)
    longest = max((float(one.line.over) for one in lines), default=DAY)
    return min([*closed, now - longest - 14 * DAY])


@dataclass(frozen=True, slots=True)
class _Known:
    """Runs, labels and the time, on which all lines of a pipeline are evaluated."""

    pipeline: p.Pipeline
    runs: list[ObservedRun]
    labels: list[AnswerLabel]
    others: list[ObservedRun]
    other_labels: list[AnswerLabel]
    against: str | None
    now: float
    first: int


@dataclass(frozen=True, slots=True)
class _Limit:
    """The limit of a line: `value` as it reads, `bound` as it is tested, with the sample behind it;
    `changed` is the value after a change by 40%.
    """

    value: float
    bound: float
    alpha: float
    sample: tuple[int, int] | None
    reference: float | None
    began: int


def _line(known: _Known, watched: WatchedLine, state: WatchState, alpha: float) -> LineStatus:
    if watched.measure is LineMeasure.NONE:
        return LineStatus(watched, LineState.UNMEASURED, note=watched.why)
    record = state.lines.setdefault(watched.line.text, {})
    limit = _limit(known, watched, record, alpha)
    if isinstance(limit, int):
        what = "labels" if watched.measure in _LABELLED else "runs"
        note = f"the baseline needs {limit:,} more {what} of whole days"
        return LineStatus(watched, LineState.WAITING, note=note)
    over = float(watched.line.over)
    boundary = (record.setdefault("closed", limit.began - 1) + 1) * DAY
    after = min(boundary, known.now - max(over, 7 * DAY))
    found = measurements(
        watched, known.pipeline, known.runs, known.labels, limit.value, known.now, after
    )
    monitor = _monitored(known, watched, record, limit, found)
    recent = [one for one in found if one.at > known.now - over]
    value, low, high = _figure(watched, recent)
    breached = _breached(watched, value, limit.value)
    days, changed_to = _forecast(known, watched, limit, found)
    note = ""
    if not recent:
        # Quiet is no praise where there was nothing to hear.
        note = f"no {'labels' if watched.measure in _LABELLED else 'runs'} in this period"
    status = LineStatus(
        watched,
        LineState.QUIET,
        value,
        low,
        high,
        len(recent),
        limit.value,
        monitor.evidence,
        days,
        changed_to,
        note,
    )
    standing = record.get("alert")
    if standing is not None and _is_over(standing, known.now, over) and recent and not breached:
        # A new life begins: the next cause is told again.
        record.update(alert=None, monitor=None, fired=None)
        record["closed"], record["began"] = day_of(known.now) - 1, day_of(known.now)
        return replace(status, state=LineState.RECOVERED, alert=dict(standing), new=True)
    if standing is None and breached and record.get("fired"):
        standing = record["alert"] = _alert(known, watched, limit, status)
    if standing is None:
        return status
    return replace(status, state=LineState.ALERT, alert=standing, new=not standing["told"])


def _is_over(alert: dict[str, Any], now: float, over: float) -> bool:
    """Whether an alert stands for a period, so that runs since then can say that it is over."""
    return bool(now - alert["since"] >= min(over, DAY))


_LABELLED = (LineMeasure.LABELS, LineMeasure.CALIBRATION, LineMeasure.WRONG)


def _limit(
    known: _Known, watched: WatchedLine, record: dict[str, Any], alpha: float
) -> _Limit | int:
    """The limit of a line; how many runs are missing for its baseline."""
    line = watched.line
    today = day_of(known.now)
    first = known.first
    if line.baseline is None:
        assert line.target is not None
        value = float(line.target)
        return _Limit(value, value, alpha, None, None, record.setdefault("began", first))
    kept = record.get("baseline")
    if kept is None or kept.get("of") != known.against:
        own = known.against is None
        base = frozen(
            watched,
            known.pipeline,
            known.runs if own else known.others,
            known.labels if own else known.other_labels,
            today,
            all_days=not own,
        )
        if isinstance(base, int):
            return base
        record.clear()
        record["baseline"] = kept = {**base.as_json(), "of": known.against}
    found: FrozenBaseline = baseline_from(kept)
    began = record.setdefault("began", found.last + 1 if known.against is None else first)
    value = with_tolerance(found.value, line.baseline)
    bound = with_tolerance(found.bound, line.baseline)
    exact = line.baseline.amount == 0 and found.hits and watched.measure is LineMeasure.RUNS
    sample = (found.hits, found.runs) if exact else None
    return _Limit(value, bound, alpha * (1 - OF_BASELINE), sample, found.value, began)


def _monitored(
    known: _Known,
    watched: WatchedLine,
    record: dict[str, Any],
    limit: _Limit,
    found: Sequence[Measurement],
) -> LineMonitor:
    """The monitor after all that is known. The record has it as of the last closed day, and under
    `fired` when it last had evidence enough, while that is not longer ago than the line's period.
    """
    monitor = monitor_of(watched, limit.bound, limit.alpha, limit.sample)
    if record.get("monitor"):
        monitor.restore(record["monitor"])
    closed = record["closed"]
    by_part: dict[int, list[Measurement]] = {}
    for one in found:
        by_part.setdefault(int(one.at // PART), []).append(one)

    def fires(part: int) -> bool:
        """Whether a quarter of a day that is over has evidence enough, or leads to it."""
        early = monitor.take(by_part.pop(part, []))
        last = part % PARTS == PARTS - 1
        return (monitor.close_day() if last else monitor.close_part()) or early

    part = (closed + 1) * PARTS
    while (part + 1) * PART <= known.now:
        if fires(part):
            record["fired"] = (part + 1) * PART
        part += 1
        if part % PARTS == 0 and part * PART + GRACE <= known.now:
            # A day that is just over is judged, and judged again once all of it is recorded.
            record["closed"], record["monitor"] = part // PARTS - 1, monitor.state()
            taken = [one.at for one in found if one.at < part * PART]
            record["newest"] = max([record.get("newest", 0.0), *taken[-1:]])
    rest = [one for at, ones in sorted(by_part.items()) if at >= part for one in ones]
    if monitor.take(rest):
        record["fired"] = known.now
    kept = max(float(watched.line.over), DAY) + DAY
    if record.get("fired") and record["fired"] < known.now - kept:
        record["fired"] = None
    return monitor


def _figure(
    watched: WatchedLine, recent: Sequence[Measurement]
) -> tuple[float | None, float | None, float | None]:
    """The figure over the line's period, with its interval at 95%. That of a quantile is the share
    of runs beyond the value.
    """
    if not recent:
        return None, None, None
    match watched.measure:
        case LineMeasure.MEAN:
            return mean_interval([float(one.value) for one in recent])
        case LineMeasure.CALIBRATION:
            error = calibration_error([one.value for one in recent])
            return error.error, error.low, error.high
        case _:
            hits = sum(bool(one.value) for one in recent)
            return hits / len(recent), *exact_share(hits, len(recent))


def _breached(watched: WatchedLine, value: float | None, limit: float) -> bool:
    if value is None:
        return False
    if watched.measure in (LineMeasure.QUANTILE, LineMeasure.WORST):
        limit = watched.quantile if watched.measure is LineMeasure.QUANTILE else 0.0
    return value > limit if watched.above else value < limit


def _forecast(
    known: _Known,
    watched: WatchedLine,
    limit: _Limit,
    found: Sequence[Measurement],
) -> tuple[float | None, float | None]:
    """The days in which a change by 40% is found in 95 of 100 histories, at today's rate, and the
    share that it leads to: that of the baseline times 1.4 (or errors, where the line is about what
    goes well); where that is still allowed, or without a baseline, 1.4 times the limit.
    """
    if (
        watched.measure in (LineMeasure.MEAN, LineMeasure.CALIBRATION, LineMeasure.WORST)
        or not found
    ):
        return None, None
    last = [one for one in found if one.at > known.now - 7 * DAY]
    span = max(1.0, min(7.0, (known.now - found[0].at) / DAY))
    a_day = len(last) / span
    held = watched.quantile if watched.measure is LineMeasure.QUANTILE else limit.bound
    quantile = watched.measure is LineMeasure.QUANTILE
    usual = held if limit.reference is None or quantile else limit.reference
    changed = _risen(usual, watched.above)
    if (changed <= held) if watched.above else (changed >= held):
        changed = _risen(held, watched.above)
    changed = min(max(changed, 1e-6), 1 - 1e-6)
    if a_day <= 0:
        return None, None
    day = max(1, day_of(known.now) - limit.began + 1)
    return days_to_find(held, round(changed, 9), a_day, day, limit.alpha, parts=PARTS), changed


def _risen(share: float, above: bool) -> float:
    return min(1.0, share * (1 + CHANGE)) if above else 1 - min(1.0, (1 - share) * (1 + CHANGE))


def _alert(
    known: _Known, watched: WatchedLine, limit: _Limit, status: LineStatus
) -> dict[str, Any]:
    """The alert on a line that is passed. Of a quantile the figure is the quantile, and `share`
    the share of runs beyond the limit.
    """
    line = watched.line
    beyond = watched.measure in (LineMeasure.QUANTILE, LineMeasure.WORST)
    return {
        "pipeline": known.pipeline.name,
        "line": line.text,
        "role": line.role,
        "text": line.alert,
        "since": known.now,
        "observed": _quantile_now(known, watched, limit.value) if beyond else status.value,
        "share": status.value if beyond else None,
        "low": status.low,
        "high": status.high,
        "count": status.count,
        "limit": limit.value,
        "changed": what_changed(known.runs, known.now, max(float(line.over), DAY)),
        "told": [],
    }


def _quantile_now(known: _Known, watched: WatchedLine, limit: float) -> float | None:
    """The quantile of the last period. A run that goes on and is over the limit counts with the
    time that it took so far: it takes longer than that.
    """
    from pipelang.interfaces.watching.measurements import amount_of, overdue_since

    metric, begin = watched.line.metric, known.now - float(watched.line.over)
    recent = [run for run in known.runs if (run.ended or 0) > begin]
    amounts = [amount_of(metric, run) for run in recent]
    values = [amount for amount in amounts if amount is not None]
    for run in known.runs:
        since = overdue_since(metric, run, limit, known.now)
        if since is not None and since > begin:
            values.append(known.now - run.started)
    values.sort()
    if not values:
        return None
    if watched.measure is LineMeasure.WORST:
        return values[-1]
    return quantile_at(values, 1 - watched.quantile)
