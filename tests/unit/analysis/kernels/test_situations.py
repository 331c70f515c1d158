"""Situations of a chain that are taken for one: their outcomes are the same, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.arithmetic.terms import Term
from pipelang.analysis.frontier.mixtures import Mixture
from pipelang.analysis.kernels import chains
from pipelang.analysis.kernels.chains import StepKernel
from pipelang.analysis.kernels.outcome_distribution import Closed
from pipelang.analysis.metrics.analyse import analyse
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

REPO = Path(__file__).parents[4]
FILES = [
    "examples/gallery/02_fallback",
    "examples/gallery/06_redo",
    "examples/gallery/07_correlation",
    "examples/gallery/14_route",
    "examples/gallery/29_sent_back",
    "examples/gallery/43_kept_answer",
    "examples/gallery/46_a_tier_by_turn",
    "examples/moderation/moderation",
    "examples/support/support",
    "benchmarks/data/desk",
]
MERGED = {"examples/support/support", "benchmarks/data/desk"}
"""Files of which it is known that there are situations to merge."""


def plain(weight: Any) -> Any:
    """A weight that compares as a whole."""
    if isinstance(weight, Term):
        return "term", weight.at
    if isinstance(weight, Mixture):
        return "mixture", {one.number: share for one, share in weight.shares.items()}
    return np.asarray(weight).tolist() if isinstance(weight, np.ndarray) else weight


def everything(closed: Closed) -> list[Any]:
    groups = [closed.answers, closed.fails, closed.ends, closed.asked, closed.inside]
    amounts = [plain(one) for one in (closed.cost, closed.tokens)]
    return [*([(key, plain(one)) for key, one in group.items()] for group in groups), *amounts]


@pytest.mark.parametrize("file", FILES)
def test_what_is_taken_for_one_has_one_outcome(file, monkeypatch):
    """Floats, terms of a formula, arrays of draws and of times: all sweeps of an analysis."""
    merged, compared = 0, 0
    before = StepKernel.close

    def close(self: StepKernel, values, taint, former, again, told=False, alike=None) -> Closed:
        nonlocal merged, compared
        known = len(alike or {})
        found = before(self, values, taint, former, again, told, alike)
        by_itself = before(self, values, taint, former, again, told)
        assert everything(found) == everything(by_itself)
        assert found.work == by_itself.work
        compared += 1
        merged += alike is not None and len(alike) == known
        return found

    monkeypatch.setattr(chains.StepKernel, "close", close)
    program = build(str(REPO / f"{file}.pipe"), DiskLoader()).program
    assert program is not None
    for pipeline in program.pipelines.values():
        analyse(program, pipeline)
    assert compared
    assert merged or file not in MERGED
