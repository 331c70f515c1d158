"""A change of a program, in words and as edits of its text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from pipelang.diagnostics import Edit
from pipelang.records import dataclass, field
from pipelang.semantics.quantities import plain


class ChangeKind(Enum):
    """The kind of a change."""

    ACCURACY = "accuracy"
    RETRY = "retry"
    TIER = "tier"
    THRESHOLD = "threshold"
    SETTING = "setting"
    VERIFIER = "verifier"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Change:
    """A change in words, and the edits that make it.

    `guess` is about how much it moves what is wanted, for who cannot try them all. `shares` are all
    that some changes change: what stands in place of shares, by their sites. One that was measured
    is not changed by writing something else: it has no edits, and its share is what the evidence
    would have to show. `pipeline` is the one that it is made in.
    """

    kind: ChangeKind
    step: str | None
    words: str
    edits: tuple[Edit, ...]
    guess: float
    shares: Mapping[str, float] = field(default_factory=dict)
    pipeline: str = ""


def percent(share: Decimal | float) -> str:
    """A share as a literal, to a hundredth of a percent."""
    exact = share if isinstance(share, Decimal) else Decimal(repr(share))
    return f"{plain((exact * 100).quantize(Decimal('0.01')))}%"


def better(share: float) -> Decimal:
    """A share with half as many errors, as a figure that somebody would write down."""
    error = (1 - Decimal(repr(share))) / 2
    places = Decimal("0.01") if error >= Decimal("0.015") else Decimal("0.0001")
    return 1 - error.quantize(places)
