"""The parameters of a pipeline as constants of the model, exactly as the file gives them.

Every share has a name, so that a reader finds it and a parametric checker can leave it open. What
nobody declared has no value: it becomes an undefined constant.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import assert_never

from pipelang.analysis.model.parameters import in_time
from pipelang.interfaces.export.prism.formulas import product, rest
from pipelang.interfaces.export.prism.machine import NotExportable, TakenNames
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.chance import (
    ByCase,
    Chance,
    CountedShare,
    Declared,
    EvidenceFile,
    MeasuredShare,
    Undeclared,
)

MOST_OPEN = 64
"""Values of one draw that nobody gave a share."""

Z95 = 1.644854
"""The 95% quantile of the standard normal, as the design fixes it."""


@dataclass(frozen=True, slots=True)
class Constant:
    """`value` None: nobody declared it. `note` says whose share it is."""

    name: str
    value: str | None
    note: str


@dataclass(slots=True)
class Constants:
    """The constants so far, by what they stand for. `hard` is the condition that a run's case is
    hard, where a rate depends on it.
    """

    pipeline: str
    evidence: dict[str, EvidenceFile]
    hard: str = "false"
    made: dict[object, Constant] = field(default_factory=dict)
    taken: TakenNames = field(default_factory=TakenNames)

    def share(self, chance: Chance) -> str:
        """A share in a formula; what is certain needs no constant."""
        if isinstance(chance, Declared) and chance.share in (0, 1):
            return str(int(chance.share))
        return self.named(chance)

    def is_certain(self, chance: Chance) -> bool:
        """Whether a share is known to be 100%."""
        return self._bounds(chance)[0] == 1

    def is_impossible(self, chance: Chance) -> bool:
        """Whether a share is known to be 0%."""
        return self._bounds(chance)[1] == 0

    def _bounds(self, chance: Chance) -> tuple[Decimal, Decimal]:
        """Between which a share lies."""
        match chance:
            case Declared():
                return chance.share, chance.share
            case CountedShare():
                share = Decimal(chance.good) / chance.total
                return share, share
            case MeasuredShare():
                file = self.evidence[chance.file]
                share = Decimal(file.right) / len(file.rows)
                return share, share
            case Undeclared():
                return Decimal(0), Decimal(1)
            case ByCase():
                sides = [self._bounds(chance.easy), self._bounds(chance.hard)]
                return min(low for low, _ in sides), max(high for _, high in sides)
            case _:
                assert_never(chance)

    def named(self, chance: Chance) -> str:
        """A share as a constant, whatever its value; the same share is one constant."""
        shown = _shown(chance.site, self.pipeline)
        match chance:
            case Undeclared():
                return self.unknown(chance.site)
            case ByCase():
                return f"({self.hard} ? {self.named(chance.hard)} : {self.named(chance.easy)})"
            case Declared():
                return self._constant(chance, "p", shown, decimal(chance.share), shown)
            case CountedShare():
                value = f"{chance.good}/{chance.total}"
                return self._constant(chance, "p", shown, value, shown)
            case MeasuredShare():
                file = self.evidence[chance.file]
                value = f"{file.right}/{len(file.rows)}"
                note = chance.file
                if chance.shift:
                    note += f"; off by up to {decimal(chance.shift)} either way (its `shift`)"
                return self._constant(chance, "p", f"right in {shown}", value, note)
            case _:
                assert_never(chance)

    def unknown(self, site: str) -> str:
        """A share that nobody declared."""
        shown = _shown(site, self.pipeline)
        return self._constant(site, "u", shown, None, shown)

    def stick(self, site: str, count: int) -> list[str]:
        """`count` unknown shares that sum to 1: each takes its part of what is left.

        Raises `NotExportable` if there are too many to be written down.
        """
        if count > MOST_OPEN:
            what = _shown(site, self.pipeline).removesuffix(" if right")
            raise NotExportable(
                f"`{what}` may be any of {count:,} values, and nobody declared how often: at most"
                f" {MOST_OPEN} can be left open"
            )
        shares, left = [], "1"
        for index in range(count - 1):
            part = self.unknown(f"{site}[{index}]")
            shares.append(product(left, part))
            left = product(left, rest(part))
        return [*shares, left]

    def timely(self, role: p.Role, key: str, seconds: Decimal | None) -> str:
        """P(an answer comes in time) under the lognormal of `responds`; 1 without a limit."""
        if seconds is None:
            return "1"
        spread = role.responds
        if spread is None or spread.p95 is None:
            return self.unknown(in_time(key, seconds))
        sigma = (math.log(spread.p95) - math.log(spread.median)) / Z95
        distance = math.log(seconds) - math.log(spread.median)
        if sigma == 0:
            return "1" if distance >= 0 else "0"
        chance = (1 + math.erf(distance / sigma / math.sqrt(2))) / 2
        shown = f"{key} within {plain(seconds)}s"
        return self._constant((key, seconds), "p", shown, plain(Decimal(repr(chance))), shown)

    def _constant(self, key: object, kind: str, shown: str, value: str | None, note: str) -> str:
        known = self.made.get(key)
        if known is None:
            name = self.taken.unused(f"{kind}_{identifier(shown)}")
            known = self.made[key] = Constant(name, value, note)
        return known.name


def decimal(share: Decimal) -> str:
    """A share in [0, 1] with all its digits; never read as a whole number."""
    text = plain(share)
    return text if "." in text else f"{text}.0"


def plain(value: Decimal) -> str:
    """A decimal without an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def identifier(text: str) -> str:
    """Letters, digits and underscores that remind of a text; a name stays as it is."""
    if text.isascii() and text.isidentifier():
        return text
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:60] or "x"


def _shown(site: str, pipeline: str) -> str:
    """The subject of a site, without its place: `main.s[0]@17.accuracy@x.pipe:9`."""
    about = re.sub(r"@\d+", "", re.sub(r"@[^@]*:\d+$", "", site))
    about = about.rpartition("/")[2] if about.endswith(".jsonl") else about
    return re.sub(rf"^{re.escape(pipeline)}[.:]", "", about)
