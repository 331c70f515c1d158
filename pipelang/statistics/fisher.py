"""The exact one-sided test of two shares at one look (R. A. Fisher, 1935), and its sample sizes."""

from __future__ import annotations

from math import exp, lgamma, log, log1p

from pipelang.statistics.beta import at_least


def fisher_at_least(hits_a: int, runs_a: int, hits_b: int, runs_b: int) -> float:
    """The chance of `hits_b` or more among the runs of b, were the shares of a and b the same.

    Given all hits, those of b are then a draw without replacement: hypergeometric.
    """
    hits, runs = hits_a + hits_b, runs_a + runs_b
    if hits_b <= max(0, hits - runs_a):
        return 1.0
    whole = _choose(runs, runs_b)
    chances = (
        exp(_choose(hits, k) + _choose(runs - hits, runs_b - k) - whole)
        for k in range(hits_b, min(hits, runs_b) + 1)
    )
    return min(1.0, sum(chances))


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def runs_to_tell(share: float, other: float, alpha: float = 0.05) -> int:
    """Runs after which the best of all tests at any time tells a larger share from one that is
    known, on average: log(1/alpha) over the information of a run (A. Wald, 1945). That is 378 for
    2% and 4%.
    """
    gain = other * log(other / share) + (1 - other) * (log1p(-other) - log1p(-share))
    return round(-log(alpha) / gain)


def runs_for_look(share: float, other: float, alpha: float, power: float = 0.95) -> int:
    """The runs at which one look tells a larger share from one that is known, in `power` of all
    histories. Counts are whole, so that alpha is never used up: of the runs that have the same
    critical count, the most are taken, which use most of it.
    """

    def most_runs(critical: int) -> int:
        """The most runs of which so many hits are still too many."""
        low, high = critical, critical + 1
        while at_least(critical, high, share) <= alpha:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            if at_least(critical, middle, share) <= alpha:
                low = middle
            else:
                high = middle
        return low

    low, high = 0, 1
    while at_least(high, most_runs(high), other) < power:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if at_least(middle, most_runs(middle), other) >= power:
            high = middle
        else:
            low = middle
    return most_runs(high)
