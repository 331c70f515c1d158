"""The two-class fit: it finds what made the data, and says where nothing can be found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import log
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.model.class_likelihood import NoFit, tallied
from pipelang.analysis.model.two_classes import FittedRate, TwoClasses, fitted
from pipelang.analysis.model.two_files import equally_hard
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_rows import EvidenceRow

RATES = ((0.95, 0.5), (0.9, 0.35), (0.93, 0.45), (0.97, 0.6))


def drawn(
    seed: int,
    cases: int,
    hard: float,
    rates: Sequence[tuple[float, float]] = RATES,
    attempts: int = 1,
) -> list[EvidenceFile]:
    rng = np.random.default_rng(seed)
    is_hard = rng.random(cases) < hard
    files = []
    for at, pair in enumerate(rates):
        rows = [
            EvidenceRow(None, bool(rng.random() < pair[int(is_hard[case])]), 1, f"c{case}", attempt)
            for case in range(cases)
            for attempt in range(1, attempts + 1)
        ]
        files.append(EvidenceFile(f"{at}.jsonl", tuple(rows)))
    return files


def likelihood(
    files: Sequence[EvidenceFile], hard: float, rates: Sequence[tuple[float, float]]
) -> float:
    """The log-likelihood of one answer a case, as one would write it down."""
    total = 0.0
    for rows in zip(*(file.rows for file in files), strict=True):
        both = [1 - hard, hard]
        for row, pair in zip(rows, rates, strict=True):
            both = [w * (r if row.correct else 1 - r) for w, r in zip(both, pair, strict=True)]
        total += log(sum(both))
    return total


def rates_of(found: TwoClasses) -> list[tuple[float, float]]:
    return [(file.easy.share, file.hard.share) for file in found.files]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_near_a_fit_is_likelier(seed: int) -> None:
    files = drawn(seed, 400, 0.3)
    found = fitted(files)
    best = likelihood(files, found.hard.share, rates_of(found))
    assert best >= likelihood(files, 0.3, RATES) - 1e-6, "the truth is likelier than the fit"
    for at, side, step in product(range(4), (0, 1), (-0.01, 0.01)):
        moved = [list(pair) for pair in rates_of(found)]
        moved[at][side] = min(0.999, max(0.001, moved[at][side] + step))
        assert likelihood(files, found.hard.share, [(a, b) for a, b in moved]) <= best + 1e-6


def test_the_truth_is_within_the_errors() -> None:
    """95% intervals of five figures in 30 worlds: of 150 some 142 cover, 130 is 1 in 10^4."""
    inside = 0
    for seed in range(30):
        found = fitted(drawn(100 + seed, 1500, 0.3))
        figures = [(found.hard, 0.3)]
        figures += [(file.hard, pair[1]) for file, pair in zip(found.files, RATES, strict=True)]
        inside += sum(abs(rate.share - truth) < 1.96 * rate.error for rate, truth in figures)
    assert inside >= 130


def test_a_share_that_is_given_stays() -> None:
    found = fitted(drawn(5, 1500, 0.3, RATES[:3]), 0.3)
    assert (found.hard.share, found.hard.error) == (0.3, 0.0)
    assert found.files[0].hard.share == pytest.approx(0.5, abs=0.08)


def test_two_files_with_second_answers_and_a_share_are_enough() -> None:
    found = fitted(drawn(6, 3000, 0.3, RATES[:2], attempts=2), 0.3)
    for file, pair in zip(found.files, RATES, strict=False):
        assert file.easy.share == pytest.approx(pair[0], abs=0.02)
        assert file.hard.share == pytest.approx(pair[1], abs=0.05)


def test_two_files_with_one_answer_each_fit_with_the_same_odds() -> None:
    """The truth has one factor for both files, so it is found."""
    rates = [(0.95, 19 / 43), (0.9, 9 / 33)]  # odds of a wrong answer, times 24
    files = drawn(11, 20_000, 0.3, rates)
    found = fitted(files, 0.3)
    for file, (easy, hard), (easies, hards) in zip(found.files, rates, found.ranges, strict=True):
        assert file.easy.share == pytest.approx(easy, abs=4 * file.easy.error)
        assert file.hard.share == pytest.approx(hard, abs=4 * file.hard.error)
        assert 0 < file.easy.error < 0.02
        assert easies[0] <= file.easy.share <= easies[1]
        assert hards[0] <= file.hard.share <= hards[1]
    joint = [(f.easy.share, f.hard.share) for f in found.files]
    both = 0.7 * joint[0][0] * joint[1][0] + 0.3 * joint[0][1] * joint[1][1]
    seen = np.mean([a.correct and b.correct for a, b in zip(*(f.rows for f in files), strict=True)])
    assert both == pytest.approx(seen, abs=1e-9), "what both do together is what was seen"


def test_every_point_of_the_range_fits_as_well() -> None:
    """Along the curve of two files the likelihood is the same; beyond its ends no rate is one."""
    files = drawn(12, 2000, 0.3)[:2]
    table = [[row.correct for row in file.rows] for file in files]
    right = np.array(table, dtype=float).T
    found = equally_hard(tallied(right, 1 - right), 0.3)
    best = likelihood(files, 0.3, [(a, b) for a, b in found.rates.T])
    (easy, hard), (other_easy, other_hard) = found.ranges
    ends = [
        [(easy[0], hard[1]), (other_easy[1], other_hard[0])],
        [(easy[1], hard[0]), (other_easy[0], other_hard[1])],
    ]
    for end in ends:
        assert min(min(pair) for pair in end) < 1e-9 or max(max(pair) for pair in end) > 1 - 1e-9
        inside = [(min(a, 1 - 1e-12), max(b, 1e-12)) for a, b in end]
        assert likelihood(files, 0.3, inside) == pytest.approx(best, abs=1e-3)


def test_counts_have_the_rates_and_no_more_answers_than_there_are() -> None:
    files = drawn(7, 800, 0.3)
    found = fitted(files)
    assert 400 <= found.hard.total <= 800
    for file in found.files:
        assert 400 <= file.easy.total + file.hard.total <= 801
        assert file.hard.good / file.hard.total == pytest.approx(file.hard.share, abs=0.003)
        assert file.easy.good / file.easy.total == pytest.approx(file.easy.share, abs=0.003)


def without_cases(files: list[EvidenceFile]) -> list[EvidenceFile]:
    rows = tuple(EvidenceRow(None, row.correct, row.line) for row in files[0].rows)
    return [EvidenceFile("bare.jsonl", rows), *files[1:]]


def other_cases(files: list[EvidenceFile]) -> list[EvidenceFile]:
    rows = tuple(EvidenceRow(None, r.correct, r.line, f"x{r.case}") for r in files[0].rows)
    return [EvidenceFile("other.jsonl", rows), *files[1:]]


def behind(files: list[EvidenceFile], kept: int) -> list[EvidenceFile]:
    """The last file, taken behind a gate, has only so many cases; those before have as many."""
    cut = [EvidenceFile(f.name, f.rows[:kept]) for f in files[:-1]]
    return [*cut, EvidenceFile("late.jsonl", files[-1].rows[:300], "sure")]


def behind_all() -> list[EvidenceFile]:
    return [EvidenceFile(f.name, f.rows, "sure") for f in SMALL]


def anti() -> list[EvidenceFile]:
    """One file is wrong in other cases than the other one."""
    return [
        EvidenceFile(
            f"{at}.jsonl",
            tuple(EvidenceRow(None, case % 5 != at, case, f"c{case}") for case in range(100)),
        )
        for at in (1, 2)
    ]


SMALL = drawn(8, 400, 0.3)
NONE = {
    "one file": (SMALL[:1], None, "three files"),
    "two files": (SMALL[:2], None, "three files"),
    "one file and a share": (SMALL[:1], 0.2, "two files beside"),
    "two files, too few hard cases": (drawn(8, 4000, 0.3)[:2], 0.01, "cannot be wrong together"),
    "two files, independent": (anti(), 0.2, "do not fall on the same cases"),
    "all behind one gate": (behind_all(), None, "so was every other file"),
    "no cases": (without_cases(SMALL), None, "no row says which case"),
    "no overlap": (other_cases(SMALL), None, "shares no case"),
    "behind a gate": (behind(SMALL, 300), None, "was taken behind `sure`"),
    "always right": (drawn(9, 300, 0.3, ((1.0, 1.0), (0.9, 0.5), (0.9, 0.5))), None, "border"),
}


@pytest.mark.parametrize("name", NONE)
def test_where_there_is_no_fit_it_says_why(name: str) -> None:
    files, share, why = NONE[name]
    with pytest.raises(NoFit) as none:
        fitted(files, share)
    assert why in none.value.why
    assert none.value.help


def test_a_file_behind_a_gate_is_used_with_the_rejected_cases() -> None:
    assert fitted(behind(SMALL, 400)).cases == 400


def test_rejected_cases_that_one_file_alone_has_are_not_left_out_in_silence() -> None:
    """A share of hard cases is of all cases, and among those that a gate let pass it is another."""
    first, *_, gated = behind(SMALL, 400)
    assert gated.sampled is not None
    with pytest.raises(NoFit, match="no two files before it share a case that it rejected"):
        fitted([first, gated], 0.3)


def test_rows_that_say_nothing_about_classes_are_told() -> None:
    """Rows without a case, and cases that no other file has."""
    files = drawn(8, 600, 0.3)
    rows = (*files[0].rows, EvidenceRow(None, True, 700), EvidenceRow(None, False, 701, "alone"))
    one, *others = fitted([EvidenceFile("more.jsonl", rows), *files[1:]]).left_out
    assert (one.file, one.rows, one.line, others) == ("more.jsonl", 2, 700, [])


def test_a_file_that_is_named_twice_is_refused() -> None:
    files = drawn(8, 600, 0.3)
    with pytest.raises(NoFit, match=r"`0.jsonl` is named twice"):
        fitted([files[0], files[1], files[0]])
    with pytest.raises(NoFit, match=r"`./0.jsonl` is named twice"):
        fitted([files[0], files[1], EvidenceFile("./0.jsonl", files[2].rows)])
    with pytest.raises(NoFit, match=r"`copy.jsonl` has the verdicts of `0.jsonl`"):
        fitted([files[0], files[1], EvidenceFile("copy.jsonl", files[0].rows)])


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_as_sure_as_the_fit_of_what_files_do_together(seed: int) -> None:
    """That all are right is nearly a count of cases, so its error is that of a count; the share of
    hard cases is known far worse than any count beside it could be.
    """
    files = drawn(40 + seed, 1000, 0.3)
    found = fitted(files)
    rng = np.random.default_rng(1)

    def drawn_from(rate: FittedRate) -> Any:
        return rng.beta(rate.good + 0.5, rate.total - rate.good + 0.5, 20_000)

    hard = drawn_from(found.hard)
    easy = np.prod([drawn_from(file.easy) for file in found.files], axis=0)
    bad = np.prod([drawn_from(file.hard) for file in found.files], axis=0)
    spread = float(np.std((1 - hard) * easy + hard * bad))
    right = np.mean(
        [all(r.correct for r in rows) for rows in zip(*(f.rows for f in files), strict=True)]
    )
    counted = float(np.sqrt(right * (1 - right) / 1000))
    assert 0.9 * counted < spread < 1.25 * counted
    assert float(np.std(hard)) < 0.8 * found.hard.error


def test_counts_that_are_pasted_hold_the_truth() -> None:
    """In 24 worlds the 95% interval of a chain of the files: at 95%, 5 misses are 1 in 170."""
    rates = ((0.9, 0.4), (0.85, 0.3), (0.95, 0.5))
    truth = 0.6 * 0.9 * 0.85 * 0.95 + 0.4 * 0.4 * 0.3 * 0.5
    rng, held, fits = np.random.default_rng(2), 0, 0
    for seed in range(24):
        try:
            found = fitted(drawn(500 + seed, 500, 0.4, rates))
        except NoFit:
            continue
        fits += 1
        shares = [
            rng.beta(r.good + 0.5, r.total - r.good + 0.5, 2_000)
            for r in (found.hard, *(f.easy for f in found.files), *(f.hard for f in found.files))
        ]
        chain = (1 - shares[0]) * np.prod(shares[1:4], axis=0) + shares[0] * np.prod(
            shares[4:], axis=0
        )
        low, high = np.quantile(chain, [0.025, 0.975])
        held += bool(low <= truth <= high)
    assert fits >= 15
    assert held >= fits - 5
