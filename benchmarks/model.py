"""What is measured: rows of contenders, with targets. And what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["us", "floor", "peer"]


class Unavailable(Exception):
    """A contender that cannot be measured here. The message says why, and stands in its row."""


class TooLong(Unavailable):
    """A contender that was given up on. Its targets count as missed."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who does what a row is about. `sample` does it once and says what it took.

    Less is better: seconds or bytes. `prepare` is called before each sample and is not measured;
    `start` once before the first, `close` after the last. Any of them may raise `Unavailable`.
    `processor` says how many seconds of processor time the last sample took, where that is known:
    on a busy machine a short process waits relatively longer for its turn than a long one.
    """

    name: str
    kind: Kind
    sample: Callable[[], float]
    prepare: Callable[[], None] | None = None
    start: Callable[[], None] | None = None
    close: Callable[[], None] | None = None
    processor: Callable[[], float] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a contender is to reach: `limit` times what `against` takes, or just `limit` if that is
    None. `words` is the target as people read it.
    """

    of: str
    limit: float
    against: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to be done, and who does it. Ratios are to the contender `base`.

    `scale` and `unit_words` are for showing an amount: seconds times 1e6 are microseconds.
    `warm_up` rounds are thrown away: they fill the disk's cache and write the .pyc files.
    """

    key: str
    title: str
    base: str
    contenders: tuple[Contender, ...]
    targets: tuple[Target, ...] = ()
    rounds: int = 15
    warm_up: int = 1
    scale: float = 1e3
    unit_words: str = "ms"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the quarter of the samples below and above it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out for one contender; no amount if it was not available, `why` says so.

    `processor` is the ratio of processor times.
    """

    name: str
    kind: Kind
    amount: Spread | None = None
    ratio: Spread | None = None
    processor: Spread | None = None
    note: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and what was reached; `met` is None where it could not be measured."""

    target: Target
    reached: float | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row with its measurements and verdicts."""

    row: Row
    rounds: int
    measured: tuple[Measured, ...]
    verdicts: tuple[Verdict, ...] = field(default=())
