"""The evidence table: what the files of labelled answers count, worked out once for each file.

A row says whether an answer was right and how confident it was. The analysis asks three things of a
file: how many rows are right, how many confidences of right (or of wrong) answers lie between
thresholds, and which confidences there are. All of them are read off the sorted confidences.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise, repeat
from typing import Any

from pipelang.semantics.chance import EvidenceFile

Cut = tuple[Decimal, bool]
"""A threshold on a confidence; True if the confidence must be above it, not just reach it."""


class LabelledAnswers:
    """The rows of one evidence file: `right` of `total` are right, and those with a confidence."""

    __slots__ = ("_binned", "confidences", "file", "often", "right", "total", "worked_out")

    def __init__(self, file: EvidenceFile) -> None:
        self.file = file
        self.total = len(file.rows)
        self.right = file.right
        self.often = {right: file.columns.often(right) for right in (True, False)}
        self.confidences: dict[bool, list[Decimal]] = {
            right: [level for level, count in found for level in repeat(level, count)]
            for right, found in self.often.items()
        }
        self._binned: dict[tuple[bool, tuple[Cut, ...]], tuple[int, ...]] = {}
        self.worked_out: dict[str, Any] = {}
        """Derived figures of the rows, by name."""

    def same_rows(self, other: LabelledAnswers) -> bool:
        """Whether both have the same rows, in whatever order: order says nothing about answers."""
        mine, others = (self.total, self.right), (other.total, other.right)
        return mine == others and self.confidences == other.confidences

    @property
    def graded(self) -> int:
        """The number of rows with a confidence."""
        return sum(map(len, self.confidences.values()))

    @property
    def all_graded(self) -> bool:
        """Whether every row has a confidence."""
        return self.graded == self.total

    def sorted_confidences(self) -> list[Decimal]:
        """The confidences of right and wrong answers together, in ascending order."""
        return sorted(self.confidences[True] + self.confidences[False])

    def below(self, right: bool, cut: Cut) -> int:
        """The number of right (or wrong) answers with a confidence that does not reach a cut."""
        threshold, strict = cut
        search = bisect_right if strict else bisect_left
        return search(self.confidences[right], threshold)

    def binned(self, right: bool, cuts: tuple[Cut, ...]) -> tuple[int, ...]:
        """The number of right (or wrong) answers that reach exactly k of the sorted cuts, for each
        k.
        """
        known = self._binned.get((right, cuts))
        if known is None:
            edges = [0, *(self.below(right, cut) for cut in cuts), len(self.confidences[right])]
            known = tuple(high - low for low, high in pairwise(edges))
            self._binned[right, cuts] = known
        return known

    def share_between(self, low: Decimal, high: Decimal) -> float:
        """The share of the confidences that lie in [low, high); 0 where there are none."""
        inside = sum(
            self.below(right, (high, False)) - self.below(right, (low, False))
            for right in self.confidences
        )
        return inside / self.graded if self.graded else 0.0

    def highest(self) -> tuple[Decimal, int]:
        """The highest confidence, and the first line that has it."""
        most = max(found[-1][0] for found in self.often.values() if found)
        return most, self.file.columns.line_of(most)


MOST_KEPT = 64
_KEPT: dict[int, LabelledAnswers] = {}


def answers_of(file: EvidenceFile) -> LabelledAnswers:
    """The table of a file. A check asks for it with every sweep, so the last ones are kept."""
    known = _KEPT.get(id(file.rows))
    if known is None or known.file.rows is not file.rows:
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        known = _KEPT[id(file.rows)] = LabelledAnswers(file)
    return known


class EvidenceTable(Mapping[str, LabelledAnswers]):
    """The evidence files of a program by name, each read into the table when it is first asked."""

    __slots__ = ("_files", "_known")

    def __init__(self, files: Mapping[str, EvidenceFile]) -> None:
        self._files = files
        self._known: dict[str, LabelledAnswers] = {}

    def __getitem__(self, name: str) -> LabelledAnswers:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = answers_of(self._files[name])
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def same_files(self, other: EvidenceTable) -> dict[str, str]:
        """The files of this table that another one has too, by their rows and not by their names;
        those of one name first.
        """
        found = {name: name for name in self if name in other and self[name].same_rows(other[name])}
        taken = set(found.values())
        for name in self:
            if name not in found:
                match = next(
                    (n for n in other if n not in taken and self[name].same_rows(other[n])), ""
                )
                if match:
                    found[name] = match
                    taken.add(match)
        return found
