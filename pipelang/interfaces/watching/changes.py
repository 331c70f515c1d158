"""Changes beside an alert: what of the runs is not as it was before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipelang.interfaces.observation.records import DAY, ENDINGS, ObservedRun
from pipelang.interfaces.text.number_format import percent, rate
from pipelang.statistics.fit import holm, independence_p_value
from pipelang.statistics.intervals import quantile_at

MOST = 3
LEVEL = 0.01


def what_changed(runs: Sequence[ObservedRun], now: float, over: float) -> list[str]:
    """The endings whose share changed most between the last period and before it, and other things
    that are told beside an alert: the rate of runs, and how long they took.
    """
    ended = [run for run in runs if run.ended is not None and run.outcome in ENDINGS]
    recent = [run for run in ended if (run.ended or 0) > now - over]
    before = [run for run in ended if (run.ended or 0) <= now - over]
    if not recent or not before:
        return []
    now_counts, then_counts = Counter(map(_ending, recent)), Counter(map(_ending, before))
    rows = []
    for name in {*now_counts, *then_counts}:
        first, second = now_counts[name], then_counts[name]
        p_value = independence_p_value(
            first, first + second, len(recent), len(recent) + len(before)
        )
        rows.append((p_value, name, second / len(before), first / len(recent)))
    told = holm([row[0] for row in rows], LEVEL)
    rows = sorted(row for row, holds in zip(rows, told, strict=True) if holds)
    said = [f"{name}: {percent(then)} before, {percent(now)} now" for _, name, then, now in rows]
    return [*said[:MOST], *_rate(recent, before, over), *_times(recent, before)]


def _ending(run: ObservedRun) -> str:
    why = f" `{run.reason}`" if run.reason and run.outcome != "answered" else ""
    return f"{run.outcome}{why}"


def _rate(recent: Sequence[ObservedRun], before: Sequence[ObservedRun], over: float) -> list[str]:
    first = min(run.ended or 0 for run in before)
    last = max(run.ended or 0 for run in before)
    days = (last - first) / DAY
    if days < 1:
        return []
    then, now = len(before) / days, len(recent) / (over / DAY)
    # Twice the noise of a count, and by a quarter at least.
    noise = 4 * (then / (over / DAY)) ** 0.5
    if abs(now - then) < max(noise, 0.25 * then):
        return []
    return [f"runs a day: {rate(then)} before, {rate(now)} now"]


def _times(recent: Sequence[ObservedRun], before: Sequence[ObservedRun]) -> list[str]:
    from pipelang.semantics.quantities import show_seconds

    old = sorted(run.seconds for run in before if run.seconds is not None)
    new = sorted(run.seconds for run in recent if run.seconds is not None)
    if len(old) < 20 or len(new) < 20:
        return []
    edge = quantile_at(old, 0.95)
    slow = sum(one > edge for one in new)
    was = sum(one > edge for one in old)
    if independence_p_value(slow, slow + was, len(new), len(new) + len(old)) > LEVEL:
        return []
    return [
        f"95% of the runs under: {show_seconds(edge)} before, "
        f"{show_seconds(quantile_at(new, 0.95))} now"
    ]
