"""Probabilities as a program gives them: declared, counted, measured, or undeclared.

A `Chance` is one parameter of the analysis. Its `site` says where it was declared, and two uses
of one site are one parameter: the same unknown, the same draw from a posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

from pipelang.records import dataclass

if TYPE_CHECKING:
    from pipelang.semantics.evidence_rows import EvidenceOrigin, EvidenceRow, EvidenceRows


class Basis(IntEnum):
    """The evidence behind a number. The weakest part of a number wins; larger is weaker."""

    EXACT = 0
    MEASURED = 1
    ASSUMED = 2
    BOUND = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Declared:
    """Somebody wrote it down."""

    share: Decimal
    site: str


@dataclass(frozen=True, slots=True)
class CountedShare:
    """`good` of `total` cases."""

    good: int
    total: int
    site: str


@dataclass(frozen=True, slots=True)
class MeasuredShare:
    """The share of right rows in an evidence file. A file is one parameter: it is the `site`. What
    is asked today may be right more or less often than the rows say, by at most the `shift`.
    """

    file: str
    site: str
    shift: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Undeclared:
    """Nobody said anything: unknown in [0, 1], never a default."""

    site: str


PlainChance = Declared | CountedShare | MeasuredShare | Undeclared


@dataclass(frozen=True, slots=True)
class ByCase:
    """One share where the case is not hard, and another one where it is: two parameters. Moved
    together, as an importance does, they go by the `site` of the first.
    """

    easy: PlainChance
    hard: PlainChance
    site: str

    def of(self, hard: bool) -> PlainChance:
        """The share in one of the two classes."""
        return self.hard if hard else self.easy


Chance = PlainChance | ByCase


@dataclass(frozen=True, slots=True)
class ByRates:
    """Declared rates of a test: P(does not hold | wrong) and P(does not hold | right)."""

    catches: Chance
    false_alarms: Chance


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """Labelled answers: how sure they were and whether they were right. `sampled` is the gate
    behind which they were taken; None if nothing is said, or if all cases are there. `origins` are
    those that rows say, in the order of the lines.
    """

    name: str
    rows: Sequence[EvidenceRow]
    sampled: str | None = None
    origins: tuple[EvidenceOrigin, ...] = ()

    @property
    def columns(self) -> EvidenceRows:
        """The rows in columns."""
        from pipelang.semantics.evidence_rows import in_columns

        return in_columns(self.rows)

    @property
    def sources(self) -> frozenset[str]:
        """The kinds of its confidences, as far as its rows say it."""
        return self.columns.sources

    @property
    def right(self) -> int:
        return self.columns.right


_ALL, _NONE = Decimal(1), Decimal(0)


def always(site: str) -> Declared:
    return Declared(_ALL, site)


def of_class(chance: Chance, hard: bool) -> PlainChance:
    """A share in one of the two classes of cases; most are the same in both."""
    return chance.of(hard) if isinstance(chance, ByCase) else chance


def never(site: str) -> Declared:
    return Declared(_NONE, site)
