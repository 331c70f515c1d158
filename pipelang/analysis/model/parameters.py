"""Parameters: the numbers that a program's behaviour depends on, in the arithmetic of one sweep.

A sweep only adds and multiplies, so it can be run over floats (the point estimate), over arrays
(many draws from the posterior, or many settings of unknowns, in one go), or over fractions. A
`Chance` gets its value here; one site is one parameter wherever it is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, assert_never

from pipelang.analysis.model.evidence import Cut, EvidenceTable
from pipelang.analysis.model.inputs import Arguments, FormulaInputs, Owner
from pipelang.records import dataclass, field, replace
from pipelang.semantics.chance import (
    Basis,
    ByCase,
    Chance,
    CountedShare,
    Declared,
    MeasuredShare,
    Undeclared,
)
from pipelang.semantics.metrics import Unit
from pipelang.semantics.program import Program, Spread

Weight = Any
"""A probability in the sweep's arithmetic: float, Fraction or an array of floats."""

_ASSUMED = Basis.ASSUMED  # found sooner than in the enumeration, for each share of a program

Z95 = 1.644854
"""The 95% quantile of the standard normal, as the design fixes it."""


def timely(spread: Spread, seconds: Decimal) -> float:
    """P(answer within `seconds`) for the lognormal with a median and a 95% quantile.

    F(t) = Phi(ln(t / median) / sigma) with sigma = ln(p95 / median) / 1.644854.
    """
    assert spread.p95 is not None
    sigma = math.log(spread.p95 / spread.median) / Z95
    distance = math.log(seconds / spread.median)
    if sigma == 0:
        return 1.0 if distance >= 0 else 0.0
    return 0.5 * math.erfc(-distance / sigma / math.sqrt(2))


@dataclass(frozen=True, slots=True)
class Supposition:
    """Suppose that a `share` of the cases is hard, and that what is at these sites is wrong so many
    times as often there, overall as often as ever; and that the cases are `hard` ones, or not.
    """

    sites: frozenset[str]
    share: Decimal
    times: int
    hard: bool

    def right(self, overall: Weight) -> Weight:
        """Return the share that is right in the class, if so much is right in all."""
        share = float(self.share)
        wrong = self.times * (1 - overall)
        if isinstance(wrong, float):
            wrong = min(1.0, wrong)
        else:
            import numpy as np

            wrong = np.minimum(1.0, wrong)
        return 1 - (wrong if self.hard else (1 - overall - share * wrong) / (1 - share))


@dataclass(slots=True)
class Parameters:
    """The values of chances in one arithmetic; they record which parameters a sweep used.

    `unknown` supplies undeclared shares. `measured` replaces the plug-in value of counted and
    measured chances, by site, and `supplanted` that of declared ones; `choose` supplies unknown
    shares that sum to 1 as a whole, where it knows their site. `sticks` remembers how many there
    are at a site; `left_out` are the pipelines of which unlikely states were left out; `handled`
    counts the states of a sweep's large tables, `unrolled` those that redos send through items
    again; `shifts` say by how much what was measured may be off, by the site of a share or the name
    of a file's bins (`bins_of`). While the cases of one class are swept, `hard` says whether they
    are hard ones; `supposed` is what is supposed of one class where nobody said. With `inputs`,
    numbers are terms of a formula that is being written down.
    """

    evidence: EvidenceTable
    unknown: Callable[[str], Weight]
    measured: Mapping[str, Weight] = field(default_factory=dict)
    bins: Mapping[tuple[str, bool], tuple[Weight, ...]] = field(default_factory=dict)
    bases: dict[str, Basis] = field(default_factory=dict)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    counted_bins: dict[tuple[str, bool], tuple[int, ...]] = field(default_factory=dict)
    unknown_sites: dict[str, None] = field(default_factory=dict)
    choose: Callable[[str, int], list[Weight] | None] = lambda site, count: None
    sticks: dict[str, int] = field(default_factory=dict)
    bounded: frozenset[Unit] = frozenset()
    left_out: dict[str, None] = field(default_factory=dict)
    handled: int = 0
    unrolled: int = 0
    shifts: dict[str, float] = field(default_factory=dict)
    hard: bool = False
    supposed: Supposition | None = None
    inputs: FormulaInputs | Arguments | None = None
    supplanted: Mapping[str, Weight] = field(default_factory=dict)

    def of_step(self, owner: Owner, sites: frozenset[str]) -> Parameters:
        """The same parameters, and what they remember, while the accuracies of a step at these
        sites are inputs of its own.
        """
        assert self.inputs is not None
        return replace(self, inputs=self.inputs.of_step(owner, sites))

    def forgetting(self) -> Parameters:
        """The same parameters, remembering for themselves."""
        return replace(
            self, bases={}, counted={}, counted_bins={}, unknown_sites={}, sticks={}, left_out={}
        )

    def is_bounded(self, units: frozenset[Unit]) -> None:
        """Remember in which units something was taken as the most that it can be."""
        self.bounded |= units
        if self.inputs is not None:
            self.inputs.bounded |= dict.fromkeys(units)

    def value(self, chance: Chance) -> Weight:
        """The value of a chance in [0, 1]."""
        if self.inputs is not None:
            return self.inputs.value(self, chance, self.number(chance))
        if self.supposed is not None:
            return self.number(chance)
        return self._plain(chance)

    def use(self, *chances: Chance) -> None:
        """Count chances as used, whether or not anything comes to hang on their values."""
        for chance in chances:
            self.number(chance)
            if self.inputs is not None:
                self.inputs.used.append((chance, self.hard))

    def number(self, chance: Chance) -> Weight:
        """The same, where values are inputs of a formula: that of the input."""
        found = self._plain(chance)
        if self.supposed is not None and chance.site in self.supposed.sites:
            return self.supposed.right(found)
        return found

    def _plain(self, chance: Chance) -> Weight:
        match chance:
            case Declared():
                share = float(chance.share)
                if 0.0 < share < 1.0:
                    self.bases[chance.site] = _ASSUMED
                if self.supplanted:
                    return self.supplanted.get(chance.site, share)
                return share
            case CountedShare():
                return self._counted(chance.site, chance.good, chance.total)
            case MeasuredShare():
                rows = self.evidence[chance.file]
                self.shift(chance.site, chance.shift)
                return self._counted(chance.site, rows.right, rows.total)
            case Undeclared():
                return self._open(chance.site)
            case ByCase():
                return self._plain(chance.of(self.hard))
            case _:
                assert_never(chance)

    def shift(self, site: str, shift: Decimal) -> None:
        """Record by how much a share may be off. It is one share, so the largest shift counts."""
        if shift:
            self.shifts[site] = max(self.shifts.get(site, 0.0), float(shift))

    def open(self, site: str) -> Weight:
        """Return the value of an undeclared share, and record that it was used."""
        found = self._open(site)
        if self.inputs is None:
            return found
        (term,) = self.inputs.several(("open", site), lambda other: (other.open(site),), (found,))
        return term

    def _open(self, site: str) -> Weight:
        self.bases[site] = Basis.UNKNOWN
        self.unknown_sites[site] = None
        return self.unknown(site)

    def never_happened(self) -> bool:
        """Whether a count says that something never happened, or always did."""
        shares = any(good in (0, total) for good, total in self.counted.values())
        return shares or any(0 in counts for counts in self.counted_bins.values())

    def interior(self) -> tuple[dict[str, Weight], dict[tuple[str, bool], tuple[Weight, ...]]]:
        """Counted chances as the means of their posteriors: nothing is impossible because it never
        happened among the cases, as a wrong answer among 9 of 9.
        """
        measured = {
            site: (good + 0.5) / (total + 1) for site, (good, total) in self.counted.items()
        }
        bins: dict[tuple[str, bool], tuple[Weight, ...]] = {}
        for key, counts in self.counted_bins.items():
            total = sum(counts) + len(counts) / 2
            bins[key] = tuple((count + 0.5) / total for count in counts)
        return measured, bins

    def learn(self, other: Parameters) -> bool:
        """Take over what another sweep met besides; whether there was anything."""
        before = len(self.unknown_sites), len(self.counted), len(self.counted_bins)
        for site, basis in other.bases.items():
            self.bases.setdefault(site, basis)
        for site in other.unknown_sites:
            self.unknown_sites.setdefault(site)
        for site, parts in other.sticks.items():
            self.sticks.setdefault(site, parts)
        for place, counts in other.counted.items():
            self.counted.setdefault(place, counts)
        for key, bins in other.counted_bins.items():
            self.counted_bins.setdefault(key, bins)
        for name, shift in other.shifts.items():
            self.shifts[name] = max(self.shifts.get(name, 0.0), shift)
        return before != (len(self.unknown_sites), len(self.counted), len(self.counted_bins))

    def _counted(self, site: str, good: int, total: int) -> Weight:
        self.bases[site] = max(self.bases.get(site, Basis.EXACT), Basis.MEASURED)
        self.counted[site] = (good, total)
        return self.measured.get(site, good / total)

    def bin_shares(self, file: str, right: bool, cuts: Sequence[Cut]) -> list[Weight]:
        """Shares of right (or wrong) answers whose confidence falls between consecutive cuts.

        Bin k holds the confidences that reach exactly k of the sorted cuts. Shares are exact counts
        of rows; with no row of that kind they are unknown, by stick breaking.
        """
        found = self._bin_shares(file, right, cuts)
        if self.inputs is None:
            return found
        key = ("bins", file, right, tuple(cuts))
        return [*self.inputs.several(key, lambda other: other.bin_shares(file, right, cuts), found)]

    def _bin_shares(self, file: str, right: bool, cuts: Sequence[Cut]) -> list[Weight]:
        counts = self.evidence[file].binned(right, tuple(cuts))
        total = sum(counts)
        self.bases[bins_of(file)] = Basis.MEASURED
        if not total:
            return self._stick(f"{file}:{'right' if right else 'wrong'}", len(cuts) + 1)
        self.counted_bins[file, right] = counts
        if (file, right) in self.bins:
            return list(self.bins[file, right])
        return [count / total for count in counts]

    def stick(self, site: str, count: int) -> list[Weight]:
        """`count` unknown shares that sum to 1: each takes its part of what is left."""
        found = self._stick(site, count)
        if self.inputs is None:
            return found
        key = ("stick", site, count)
        return [*self.inputs.several(key, lambda other: other.stick(site, count), found)]

    def _stick(self, site: str, count: int) -> list[Weight]:
        whole = self.choose(site, count)
        if whole is not None:
            return whole
        self.sticks[site] = count
        shares: list[Weight] = []
        left: Weight = 1.0
        for index in range(count - 1):
            part = self._open(f"{site}[{index}]")
            shares.append(left * part)
            left = left * (1 - part)
        return [*shares, left]

    def timely(self, spread: Spread | None, seconds: Decimal | None, site: str) -> Weight:
        """P(an answer comes in time); without a limit it always does."""
        if seconds is None:
            return 1.0
        found = self._timely(spread, seconds, site)
        if self.inputs is None:
            return found
        key = ("timely", spread, seconds, site)
        (term,) = self.inputs.several(
            key, lambda other: (other.timely(spread, seconds, site),), (found,)
        )
        return term

    def _timely(self, spread: Spread | None, seconds: Decimal, site: str) -> Weight:
        if spread is None or spread.p95 is None:
            return self._open(in_time(site, seconds))
        self.bases[f"{site}.responds"] = Basis.ASSUMED
        return timely(spread, seconds)

    @property
    def known_basis(self) -> Basis:
        """The weakest basis of the declared parameters that were used."""
        unknown = Basis.UNKNOWN  # looked up once: there may be one for each of many steps
        known = [basis for basis in self.bases.values() if basis is not unknown]
        return max(known, default=Basis.EXACT)

    @property
    def basis(self) -> Basis:
        """The weakest basis of all parameters that were used."""
        return max(self.bases.values(), default=Basis.EXACT)


_WITHIN = " within "


def in_time(role: str, seconds: Decimal) -> str:
    """The site of how many of a role answer within a limit, where nobody said so: fewer do within a
    minute than within an hour, so each limit is an unknown of its own.
    """
    return f"{role}{_WITHIN}{seconds.normalize():f}s.responds"


def without_limit(owner: str) -> str:
    """The role in such a site, of which the last word is taken off; any other owner as it is."""
    return owner.partition(_WITHIN)[0]


BINS = ":bins"


def bins_of(file: str) -> str:
    """The name of how the confidences of a file are spread."""
    return f"{file}{BINS}"


def point_parameters(program: Program) -> Parameters:
    """Point estimates of a program's parameters; one half stands for what nobody declared."""
    return Parameters(EvidenceTable(program.evidence), lambda site: 0.5)
