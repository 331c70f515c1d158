"""The two-class model of evidence files that share cases, by maximum likelihood (EM).

A case is hard or not, and given that all verdicts are independent: each file has an accuracy in
each class (a latent class model; Dawid and Skene 1979, Goodman 1974). Standard errors are those of
the observed information, in the logits that are free.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.class_counts import counts_as_sure
from pipelang.analysis.model.class_likelihood import (
    NoFit,
    TalliedVerdicts,
    covariance_at,
    expected,
    tallied,
)
from pipelang.analysis.model.shared_cases import shared_cases
from pipelang.analysis.model.two_files import equally_hard
from pipelang.records import dataclass, replace
from pipelang.semantics.chance import EvidenceFile

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

STARTS = 12
ROUNDS = 20_000
CLOSE = 1e-11
"""Rise of the log-likelihood for one case below which a fit has converged."""

BORDER = 1e-4
"""A rate that is nearer to 0 or 1 is on the border."""


@dataclass(frozen=True, slots=True)
class FittedRate:
    """A rate with its standard error, and as a count to paste (`class_counts`)."""

    share: float
    error: float
    good: int
    total: int


@dataclass(frozen=True, slots=True)
class FittedFile:
    """The accuracy of a file's answers in each class."""

    name: str
    easy: FittedRate
    hard: FittedRate


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of a file that say nothing about classes: so many, from this line on."""

    file: str
    rows: int
    line: int


@dataclass(frozen=True, slots=True)
class TwoClasses:
    """A fit: the share of hard cases (its error is 0 where it was given), and each file's rates.
    `ranges` are what the rates could be besides, by file and class, where the data leave it open.
    `left_out` are the rows of each file that are about no shared case, with the line of the first.
    """

    hard: FittedRate
    files: tuple[FittedFile, ...]
    cases: int
    ranges: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def fitted(files: Sequence[EvidenceFile], share: float | None = None) -> TwoClasses:
    """Fit the model, with the share of hard cases as it is given or fitted too. Raises `NoFit`."""

    verdicts = _table(files, share)
    names = [file.name for file in files]
    if share is not None and len(files) == 2 and verdicts.answers.max() < 2:
        both = equally_hard(verdicts, share)
        fit = _counted(names, verdicts, share, both.rates, _beside_a_share(both.covariance))
        return replace(fit, ranges=both.ranges, left_out=_left_out(files))
    climbed = _climbed(verdicts, share)
    if climbed is None:
        help = "more cases, or `--hard SHARE` for what is known of them"
        raise NoFit(f"the fit has not converged in {ROUNDS:,} rounds", help)
    hard, rates = climbed
    if rates[1].mean() > rates[0].mean():  # the hard class is the one that is right less often
        if share is not None:
            help = "a larger or smaller `--hard`, or leave it out with three files"
            raise NoFit(f"a share of {share:g} hard cases fits no class that is worse", help)
        hard, rates = 1 - hard, rates[::-1]
    _inside(hard, rates, names, share)
    fit = _counted(names, verdicts, hard, rates, _covariance(verdicts, hard, rates, share))
    return replace(fit, left_out=_left_out(files))


# -------------------------------------------------------------------------------------- data


def _table(files: Sequence[EvidenceFile], share: float | None) -> TalliedVerdicts:
    """The right and the wrong answers by case and file, of the cases that files share."""
    import numpy as np

    least = 2 if share is not None else 3
    if len(files) < least:
        beside = "two files beside `--hard`" if share is not None else "three files"
        raise NoFit(
            f"two classes need {beside} that share cases",
            "name more files, or two and `--hard SHARE`",
        )
    _each_once(files)
    cases = shared_cases(files)
    place = {case: at for at, case in enumerate(cases)}
    right, wrong = np.zeros((len(cases), len(files))), np.zeros((len(cases), len(files)))
    for at, file in enumerate(files):
        if not file.columns.cases:
            why = f"`{file.name}`, line {file.rows[0].line}: no row says which case it is"
            raise NoFit(why, 'give every row the input it is about: "case": "ticket-17"')
        for row in file.rows:
            if row.case in place:
                (right if row.correct else wrong)[place[str(row.case)], at] += 1
        if not (right[:, at].any() or wrong[:, at].any()):
            why = f"`{file.name}` shares no case with the other files{_first_case(file)}"
            raise NoFit(why, "label the same inputs in all files, under the same `case`")
    together = (right + wrong) > 0
    for first in range(len(files)):
        for second in range(first):
            if not (together[:, first] & together[:, second]).any():
                pair = f"`{files[second].name}` and `{files[first].name}`"
                why = f"{pair} share no case{_first_case(files[first])}"
                raise NoFit(why, "label the same inputs in all files, under one `case`")
    _behind_gates(files)
    return tallied(right, wrong)


def _each_once(files: Sequence[EvidenceFile]) -> None:
    """Refuse a file that is named twice, by another way to it too, and a copy of another one."""
    for at, file in enumerate(files):
        for other in files[:at]:
            if os.path.normpath(file.name) == os.path.normpath(other.name):
                why = f"`{file.name}` is named twice, and agrees with itself in every case"
                help = "name each file once; second answers to a case are rows of its file"
                raise NoFit(why, help)
            wrong = {(row.case, row.attempt) for row in file.rows if not row.correct}
            if wrong and _verdicts(file) == _verdicts(other):
                why = f"`{file.name}` has the verdicts of `{other.name}`, line by line"
                help = "one is a copy of the other: name one of them, and another step's file"
                raise NoFit(why, help)


def _verdicts(file: EvidenceFile) -> set[tuple[str | None, int, bool]]:
    return {(row.case, row.attempt, row.correct) for row in file.rows}


def _left_out(files: Sequence[EvidenceFile]) -> tuple[LeftOut, ...]:
    """The rows without a case, or of one that no other file has."""
    shared = {*shared_cases(files)}
    found = []
    for file in files:
        lines = [row.line for row in file.rows if row.case not in shared]
        if lines:
            found.append(LeftOut(file.name, len(lines), min(lines)))
    return tuple(found)


def _first_case(file: EvidenceFile) -> str:
    """The first case of a file, to be looked for in the others."""
    row = next(row for row in file.rows if row.case is not None)
    return f" (its first is `{row.case}`, on line {row.line})"


def _behind_gates(files: Sequence[EvidenceFile]) -> None:
    """Refuse files that were taken behind a gate unless all that stand before it (those of all
    cases, and those of gates before it in the order of the files) have cases that it rejected.
    """
    shared = {*shared_cases(files)}
    for at, file in enumerate(files):
        if file.sampled is None:
            continue
        mine = {row.case for row in file.rows}
        place = f"`{file.name}`{_line(file)}"
        before = [
            one
            for n, one in enumerate(files)
            if one.sampled is None or (n < at and one.sampled != file.sampled)
        ]
        if not before:
            why = f"{place} was taken behind `{file.sampled}`, and so was every other file"
            raise NoFit(why, "add a file of all cases, with those that the gate rejected")
        for other in before:
            if not {row.case for row in other.rows if row.case is not None} - mine:
                why = f"{place} was taken behind `{file.sampled}`, and `{other.name}` has"
                why += " none of the cases that it rejected"
                raise NoFit(why, "label the rejected cases in the files before the gate too")
        rejected = {row.case for other in before for row in other.rows} - mine
        if rejected.isdisjoint(shared):
            # Rows that no other file shares are left out, and with them all that it rejected.
            why = f"{place} was taken behind `{file.sampled}`, and no two files before it share a"
            raise NoFit(f"{why} case that it rejected", "add a third file, of all cases")


def _line(file: EvidenceFile) -> str:
    """The line that says behind which gate a file was taken."""
    lines = [one.line for one in file.origins if one.sampled == file.sampled]
    return f", line {lines[0]}," if lines else ""


# -------------------------------------------------------------------------------------- fit


def _climbed(verdicts: TalliedVerdicts, share: float | None) -> tuple[float, Array] | None:
    """The share of hard cases and the rates of the likeliest end of EM; None if it has none.

    The first start is where answers are wrong half as and twice as often as on the mean.
    """
    import numpy as np

    often, cases = verdicts.often, verdicts.cases
    generator = np.random.Generator(np.random.PCG64(20261121))
    error = np.clip(1 - often @ verdicts.right / (often @ verdicts.answers), 0.02, 0.9)
    factors, hard = np.array([[0.5, 2.0]] * STARTS), np.full(STARTS, share or 0.2)
    for start in range(1, STARTS):
        factors[start] = generator.uniform((0.1, 1.1), (0.9, 5.0))
        if share is None:
            hard[start] = generator.uniform(0.05, 0.6)
    rates = 1 - np.clip(factors[:, :, None] * error, 0.005, 0.98)
    before = np.full(STARTS, -np.inf)
    ends: list[tuple[float, float, Array]] = []
    for _ in range(ROUNDS):
        members, now = expected(verdicts, hard, rates)
        there = now - before < CLOSE * cases
        if there.any():
            ends += zip(now[there], hard[there], rates[there], strict=True)
            members, now, hard, rates = (one[~there] for one in (members, now, hard, rates))
            if not len(now):
                break
        before = now
        if share is None:
            hard = members @ often / cases
        weights = often * np.stack([1 - members, members], axis=1)
        good, bad = weights @ verdicts.right, weights @ verdicts.wrong
        rates = np.where(good + bad > 0, good / np.maximum(good + bad, 1e-300), rates)
    if not ends:
        return None
    _, found, best = max(ends, key=lambda end: end[0])
    return float(found), best


def _inside(hard: float, rates: Array, names: Sequence[str], share: float | None) -> None:
    """Refuse a fit on the border, where nothing can be said about its errors."""
    help = "more cases in which something is wrong, or fewer files"
    if share is None and not BORDER < hard < 1 - BORDER:
        raise NoFit(f"the fit is on the border: {hard:.4%} of the cases are hard", help)
    for row, kind in enumerate(("not hard", "hard")):
        for name, rate in zip(names, rates[row], strict=True):
            if not BORDER < rate < 1 - BORDER:
                why = f"the fit is on the border: `{name}` is right in {rate:.4%} of the cases that"
                raise NoFit(f"{why} are {kind}", help)


def _covariance(verdicts: TalliedVerdicts, hard: float, rates: Array, share: float | None) -> Array:
    """The covariance of the share of hard cases and the rates, by the curvature of the
    log-likelihood in the logits.
    """
    import numpy as np

    free = np.concatenate([[hard] if share is None else [], rates.reshape(-1)])
    at = np.log(free / (1 - free))

    def likelihood(logits: Array) -> float:
        shares = 1 / (1 + np.exp(-logits))
        first = float(shares[0]) if share is None else float(share)
        rest = shares[1:] if share is None else shares
        return float(expected(verdicts, first, rest.reshape(rates.shape))[1])

    found = covariance_at(likelihood, lambda logits: 1 / (1 + np.exp(-logits)), at)
    if found is None:
        why = "the fit is on the border: the files do not tell the two classes apart"
        raise NoFit(why, "more cases, or files whose answers are wrong more often")
    return found if share is None else _beside_a_share(found)


def _beside_a_share(rates: Array) -> Array:
    """The covariance of the rates with the share of hard cases before them, which was given."""
    import numpy as np

    return np.pad(rates, ((1, 0), (1, 0)))


def _counted(
    names: Sequence[str], verdicts: TalliedVerdicts, hard: float, rates: Array, covariance: Array
) -> TwoClasses:
    """The fit with its errors, and as counts: at most as many answers as are expected to belong to
    a class.
    """
    import numpy as np

    members = expected(verdicts, hard, rates)[0]
    answers = [
        weights @ verdicts.answers for weights in np.array((1 - members, members)) * verdicts.often
    ]
    shares = np.concatenate([[hard], rates.reshape(-1)])
    seen = np.concatenate([[verdicts.cases], *answers])
    counts = counts_as_sure(shares, covariance, seen)
    errors = np.sqrt(np.diag(covariance))
    fitted = [
        FittedRate(float(share), float(error), good, total)
        for share, error, (good, total) in zip(shares, errors, counts, strict=True)
    ]
    easy, bad = fitted[1 : len(names) + 1], fitted[len(names) + 1 :]
    files = tuple(FittedFile(*one) for one in zip(names, easy, bad, strict=True))
    return TwoClasses(fitted[0], files, verdicts.cases)
