"""Probabilities as a program gives them: declared, counted, measured, or undeclared.

A `Chance` is one parameter of the analysis. Its `site` says where it was declared, and two uses
of one site are one parameter: the same unknown, the same draw from a posterior.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum

from pipelang.records import dataclass


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
class EvidenceRow:
    """A row of an evidence file; `line` is its line there, `case` the input that was answered, and
    `attempt` which answer to it this is; `source` says what the confidence is, where that is known:
    a probability that a provider told, or the model's own word.
    """

    confidence: Decimal | None
    correct: bool
    line: int
    case: str | None = None
    attempt: int = 1
    source: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceOrigin:
    """The origin of rows: the hash of the prompt, the model that answered, the day, the gate behind
    which cases were taken (or `all`); None for what they don't say. `line` is the first that says
    so, `count` how many rows it is said of.
    """

    prompt: str | None
    model: str | None
    as_of: str | None
    sampled: str | None
    line: int
    count: int


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """Labelled answers: how sure they were and whether they were right. `sampled` is the gate
    behind which they were taken; None if nothing is said, or if all cases are there. `origins` are
    those that rows say, in the order of the lines.
    """

    name: str
    rows: tuple[EvidenceRow, ...]
    sampled: str | None = None
    origins: tuple[EvidenceOrigin, ...] = ()

    @property
    def sources(self) -> frozenset[str]:
        """The kinds of its confidences, as far as its rows say it."""
        return frozenset(row.source for row in self.rows if row.source is not None)

    @property
    def right(self) -> int:
        return sum(row.correct for row in self.rows)


def always(site: str) -> Declared:
    return Declared(Decimal(1), site)


def of_class(chance: Chance, hard: bool) -> PlainChance:
    """A share in one of the two classes of cases; most are the same in both."""
    return chance.of(hard) if isinstance(chance, ByCase) else chance


def never(site: str) -> Declared:
    return Declared(Decimal(0), site)
