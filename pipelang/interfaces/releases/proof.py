"""The proof that a canary is no worse, for whoever promotes it."""

from __future__ import annotations

from pipelang.records import dataclass
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.versions.arms import ReleaseRuns
from pipelang.runtime.durable.versions.releases import Release
from pipelang.semantics import metrics as m
from pipelang.statistics.sequences import share_sequence
from pipelang.statistics.two_samples import TwoShares

MARGIN = 0.2
"""No worse means: by less than a fifth of what is current, or by less than a point."""
PROVED = 20.0


@dataclass(frozen=True, slots=True)
class NoWorse:
    """A share of both sides with intervals that hold whenever one looks, and the evidence that the
    canary is no worse by more than the `margin`: 20 proves it at 5%.
    """

    metric: str
    current: tuple[int, int]
    canary: tuple[int, int]
    interval: tuple[float, float]
    margin: float
    evidence: float

    @property
    def is_proved(self) -> bool:
        return self.evidence >= PROVED


def no_worse(store: Store, canary: Release, current: Release) -> list[NoWorse]:
    """The shares of a canary beside those of what is current, since it was put out."""
    runs = ReleaseRuns(store, canary.pipeline, current.program, canary.program, canary.made)
    ended = runs.ended()
    sides: dict[str, list[tuple[bool, bool]]] = {
        m.FAILURE: [(one.canary, one.status == "failed") for one in ended],
        m.ESCALATION: [(one.canary, one.status == "escalated") for one in ended],
        m.SILENT_ERROR: [(one.canary, one.silent_error) for one in runs.judged()],
    }
    return [_of_share(metric, hits) for metric, hits in sides.items() if hits]


def _of_share(metric: str, hits: list[tuple[bool, bool]]) -> NoWorse:
    sums = [[0, 0], [0, 0]]
    for canary, hit in hits:
        sums[canary][0] += hit
        sums[canary][1] += 1
    (hits_a, runs_a), (hits_b, runs_b) = sums
    share = hits_a / runs_a if runs_a else 0.0
    margin = max(MARGIN * share, 0.01)
    # "The canary is worse by the margin": what is current is at most the canary less the margin.
    process = TwoShares(1.0, -margin)
    portion = [[0, 0], [0, 0]]
    for canary, hit in hits:
        portion[canary][0] += hit
        portion[canary][1] += 1
        if min(portion[0][1], portion[1][1]) >= 10:
            process.add((portion[1][0], portion[1][1]), (portion[0][0], portion[0][1]))
            portion = [[0, 0], [0, 0]]
    interval = share_sequence(hits_b, runs_b) if runs_b else (0.0, 1.0)
    low, high = interval
    return NoWorse(metric, (hits_a, runs_a), (hits_b, runs_b), (low, high), margin, process.value)
