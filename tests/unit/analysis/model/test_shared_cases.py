"""Files that share cases: the permutation test against all permutations, and its level."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from pipelang.analysis.model.shared_cases import PERMUTATIONS, dependence, verdicts
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_rows import EvidenceRow


def file(name: str, right: str, cases: str | None = None) -> EvidenceFile:
    """A file with a verdict a letter (`+` right, `-` wrong), on cases 0, 1, 2 or the ones given."""
    names = cases or [str(at) for at in range(len(right))]
    pairs = zip(names, right, strict=True)
    rows = (EvidenceRow(None, sign == "+", at, case) for at, (case, sign) in enumerate(pairs, 1))
    return EvidenceFile(name, tuple(rows))


def exactly(*columns: str) -> float:
    """P(at least as many pairs of wrong verdicts on one case) over all permutations."""

    def together(rows: list[tuple[str, ...]]) -> int:
        counts = [sum(row[at] == "-" for row in rows) for at in range(len(rows[0]))]
        return sum(count * (count - 1) // 2 for count in counts)

    observed = together([tuple(column) for column in columns])
    found: list[tuple[tuple[str, ...], ...]] = [()]
    for column in columns[1:]:  # what counts is how the others lie to the first
        found = [(*rows, one) for rows in found for one in permutations(column)]
    hits = [together([tuple(columns[0]), *rows]) >= observed for rows in found]
    return sum(hits) / len(hits)


@pytest.mark.parametrize(
    "columns",
    [("--++++", "--++++"), ("-+-+++", "+-+-++"), ("---+++", "--++++"), ("--+++", "--+++", "-+-++")],
)
def test_the_p_value_is_that_of_all_permutations(columns: tuple[str, ...]) -> None:
    found = dependence([file(str(at), column) for at, column in enumerate(columns)])
    assert found is not None
    exact = exactly(*columns)
    assert found.p == pytest.approx(
        exact, abs=4 * (exact * (1 - exact) / PERMUTATIONS) ** 0.5 + 2e-4
    )


def test_only_cases_that_files_share_count() -> None:
    first = file("a", "--++++----", "abcdefwxyz")
    second = file("b", "--++++++++", "abcdefghij")
    same = dependence([file("a", "--++++", "abcdef"), file("b", "--++++", "abcdef")])
    assert dependence([first, second]) == same
    assert dependence([file("a", "+-", "ab"), file("b", "+-", "cd")]) is None


def test_of_several_answers_the_first_counts() -> None:
    rows = (EvidenceRow(None, True, 1, "a", 2), EvidenceRow(None, False, 2, "a", 1))
    assert verdicts(EvidenceFile("f", rows)) == {"a": False}


def test_independent_files_are_seldom_told() -> None:
    """At 1%, of 300 pairs of independent files 3 are expected; 12 would be one in 10^4."""
    told = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        files = [
            file(name, "".join(np.where(rng.random(60) < right, "+", "-")))
            for name, right in (("a", 0.8), ("b", 0.7))
        ]
        found = dependence(files, 0.01)
        assert found is not None
        told += found.p < 0.01
    assert told < 12


def test_the_same_files_give_the_same_figure() -> None:
    files = [file("a", "--+-++++-+"), file("b", "-++-+++--+")]
    assert dependence(files) == dependence(files)
