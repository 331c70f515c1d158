"""The exact test of two versions on the same cases (Q. McNemar, Psychometrika 12, 1947)."""

from __future__ import annotations

from pipelang.records import dataclass
from pipelang.statistics.beta import at_least
from pipelang.statistics.intervals import Interval, exact_share


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two versions on the same cases: `worse` were right before alone, `better` now alone.

    `p_value` is two-sided, `p_worse` that of "not worse than before"; `share_worse` bounds the
    share of the changed cases that got worse.
    """

    worse: int
    better: int
    p_value: float
    p_worse: float
    share_worse: Interval


def exact_mcnemar(worse: int, better: int) -> PairedComparison:
    """Compare by the cases whose verdict changed: were nothing different, each side is a fair coin.

    Cases on which both are right, or both wrong, say nothing about which is better.
    """
    changed = worse + better
    tail = at_least(max(worse, better), changed, 0.5)
    return PairedComparison(
        worse,
        better,
        min(1.0, 2 * tail),
        at_least(worse, changed, 0.5),
        exact_share(worse, changed),
    )
