"""Verdicts on pipelines over all constructs against random runs that are watched.

`python -m tests.property.claims structures 0 5000` judges 5,000 pipelines.
"""

from __future__ import annotations

from collections import Counter

import pytest

from pipelang.analysis.claims.properties import OnPaths
from pipelang.analysis.claims.verdicts import decided
from pipelang.interfaces.check.replay import Replayer
from pipelang.semantics.build import build

from ...memory import MemoryLoader
from .newer import NEWER, program
from .planted import OF_RUNS, OF_STRANDS, Plant
from .structures import broken_claims

SEEDS = range(30)
RUNS = 40


def judged(seed: int, replayed: bool = False) -> list[tuple[str, str, bool]]:
    """Each claim of a pipeline with its verdict, and whether a run broke it; none where the random
    file has a mistake.
    """
    text = program(seed)
    built = build("case.pipe", MemoryLoader({"case.pipe": text})).program
    if built is None:
        return []
    broken = broken_claims(built, seed, RUNS)
    replay = Replayer(built) if replayed else None
    found = []
    for claim in built.claims:
        assert isinstance(claim.claimed, OnPaths)
        verdict = decided(built, claim, claim.claimed, frozenset(), replay).verdict
        found.append((claim.text, verdict, claim.text in broken))
    return found


@pytest.mark.parametrize("first", SEEDS[::10])
def test_no_run_breaks_what_is_proved(first: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(first, first + 10):
        for claim, verdict, broken in judged(seed):
            seen[verdict] += 1
            assert not (broken and verdict == "proved"), (claim, program(seed))
    assert seen["proved"] > 5
    assert seen["refuted"] > 5


def test_no_run_breaks_what_is_proved_of_what_came_later() -> None:
    """Decisions, cascades, votes, quotas, breakers, pictures, people who answer and send back."""
    seen: Counter[str] = Counter()
    for seed in range(NEWER, NEWER + 12):
        for claim, verdict, broken in judged(seed):
            seen[verdict] += 1
            seen["broken"] += broken
            assert not (broken and verdict == "proved"), (claim, program(seed))
    assert seen["proved"] > 30
    assert seen["broken"] > 20


def test_what_runs_break_is_refuted_by_replay() -> None:
    """A replay finds its way into children, agents, lists, redos and budgets."""
    broken = [verdict for seed in range(6) for _, verdict, is_so in judged(seed, True) if is_so]
    assert len(broken) > 10
    assert broken.count("refuted") >= 0.9 * len(broken)


@pytest.mark.parametrize(
    ("plant", "form"), [*((one, 9) for one in OF_RUNS), *((one, 8) for one in OF_STRANDS)]
)
def test_a_fault_put_back_is_found(
    plant: Plant, form: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every tenth seed has one of the forms that `wide` writes for these."""
    plant(monkeypatch)
    found = (judged(seed) for seed in range(form, 300, 10))
    assert any(broken and verdict == "proved" for one in found for _, verdict, broken in one)
