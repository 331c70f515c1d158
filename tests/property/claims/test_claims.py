"""Verdicts against every run: the interpreter tries all answers of models, tools and people."""

from __future__ import annotations

import pytest

from pipelang.analysis.claims.properties import OnPaths
from pipelang.analysis.claims.verdicts import decided
from pipelang.semantics.build import build

from ...memory import MemoryLoader
from .generate import SECOND, program
from .observe import broken_claims

SEEDS = (*range(18), 105, 169, 189, 291, 325, 352)
SECOND_SEEDS = range(SECOND, SECOND + 12)
MOST_RUNS = 1500


def verdicts(text: str) -> dict[str, str]:
    built = build("case.pipe", MemoryLoader({"case.pipe": text}))
    assert built.program is not None, [(d.message, d.help) for d in built.diagnostics if d.is_error]
    found = {}
    for claim in built.program.claims:
        assert isinstance(claim.claimed, OnPaths)
        found[claim.text] = decided(built.program, claim, claim.claimed, frozenset()).verdict
    return found


@pytest.mark.parametrize("seed", [*SEEDS, *SECOND_SEEDS])
def test_verdicts_agree_with_all_runs(seed: int) -> None:
    text = program(seed)
    said = verdicts(text)
    broken, complete = broken_claims(text, MOST_RUNS)
    wrong = sorted(claim for claim in broken if said[claim] == "proved")
    assert not wrong, f"proved, and broken: {wrong}\n{text}"
    if complete:
        never = sorted(c for c, verdict in said.items() if verdict == "refuted" and c not in broken)
        assert not never, f"refuted, and never broken: {never}\n{text}"


def test_the_seeds_have_claims_of_every_verdict_and_kind() -> None:
    """A generator that proves nothing, or refutes nothing, would test nothing."""
    seen = {
        (claim.split()[0] if claim.startswith(("never", "escalates")) else "only", verdict)
        for seed in SEEDS
        for claim, verdict in verdicts(program(seed)).items()
    }
    kinds = ("only", "never", "escalates")
    assert {(kind, verdict) for kind in kinds for verdict in ("proved", "refuted")} <= seen


def test_claims_that_count_are_proved_and_refuted() -> None:
    seen = {
        ("at most" in claim, " when " in claim and claim.split()[1] == "only", verdict)
        for seed in SECOND_SEEDS
        for claim, verdict in verdicts(program(seed)).items()
    }
    for verdict in ("proved", "refuted"):
        assert {(True, False, verdict), (False, True, verdict)} <= seen
