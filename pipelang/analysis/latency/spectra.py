"""Distributions that a walk wrote down, worked out on lattices.

What is asked for is gone through in the order in which it was written: each distribution once a
lattice, as its transform, or as its masses or its distribution function where a maximum is made of
it. `frontier.lists` and `frontier.arrays` know how; both find the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from types import ModuleType
from typing import Any

from pipelang.analysis.frontier.lattice import Lattice, Lognormal
from pipelang.analysis.frontier.meter import ENDLESS, MOST, NOISE, Measure, amounts_of
from pipelang.analysis.frontier.mixtures import Distribution, Made
from pipelang.records import dataclass, field

NUMBER = attrgetter("number")

VALUE, MASSES = 1, 2
"""Parts of a distribution that are wanted: its transform (of a function itself), its masses."""

Planned = tuple[Distribution, int, list[Distribution]]
"""A distribution, what is wanted of it, and what nothing wants any more after it."""


def below(roots: Iterable[Distribution]) -> list[Distribution]:
    """All that distributions are made of, and they themselves: parts first."""
    found = {root.number: root for root in roots}
    left = list(found.values())
    while left:
        for part in left.pop().parts:
            if part.number not in found:
                found[part.number] = part
                left.append(part)
    return [found[number] for number in sorted(found)]


@dataclass(slots=True)
class Spectra:
    """The distributions of a walk by measure and lattice. `scales` are the lattices that means of
    maxima are read off, the finest first.
    """

    kernel: ModuleType
    scales: tuple[Lattice, ...]
    plans: dict[tuple[int, Measure], list[Planned]] = field(default_factory=dict)
    amounts: dict[Any, Any] = field(default_factory=dict)
    averages: dict[Measure, dict[int, float]] = field(default_factory=dict)

    # -------------------------------------------------------------------------------- masses

    def masses(self, root: Distribution, measure: Measure, lattice: Lattice) -> list[float]:
        """The masses of a distribution at the points of a lattice."""
        plan = self.plans.get((root.number, measure))
        if plan is None:
            plan = self.plans[root.number, measure] = self._plan({root: MASSES}, measure)
        _, masses = self._gone_through(plan, measure, lattice)
        found: list[float] = self.kernel.whole(masses[root.number], lattice.size)
        return found

    def _plan(self, roots: dict[Distribution, int], measure: Measure) -> list[Planned]:
        """All that has to be worked out for some distributions, in order."""
        nodes = below(roots)
        wanted = {node.number: 0 for node in nodes}
        for node, wants in roots.items():
            wanted[node.number] = wants
        plain: dict[int, bool] = {}
        for node in nodes:
            plain[node.number] = _adds_nothing(node, measure, plain)
        for node in reversed(nodes):
            if wanted[node.number] & MASSES and not plain[node.number]:
                wanted[node.number] |= VALUE
            wants = wanted[node.number]
            timed = measure is not Measure.COST
            for part in node.parts:
                if node.made is Made.EITHER:
                    wanted[part.number] |= wants if plain[node.number] else VALUE
                elif node.made is Made.ASIDE and timed:
                    wanted[part.number] |= MASSES
                else:
                    wanted[part.number] |= VALUE
        last = {part.number: node for node in nodes for part in node.parts}
        over: dict[int, list[Distribution]] = {}
        for node in nodes:
            if node not in roots and node.number in last:
                over.setdefault(last[node.number].number, []).append(node)
        return [
            (node, wanted[node.number], over.get(node.number, []))
            for node in nodes
            if wanted[node.number]
        ]

    def _gone_through(
        self, plan: list[Planned], measure: Measure, lattice: Lattice
    ) -> tuple[dict[int, Any], dict[int, Any]]:
        """The values and masses of all roots of a plan."""
        kernel, size = self.kernel, lattice.size
        timed = measure is not Measure.COST
        values: dict[int, Any] = {}
        masses: dict[int, Any] = {}
        for node, wants, over in plan:
            number = node.number
            match node.made:
                case Made.NOTHING:
                    values[number] = masses[number] = 1.0
                case Made.TAKEN | Made.WAITED:
                    self._amount(node, measure, lattice, wants, values, masses)
                case Made.JOINED:
                    one, other = node.parts
                    values[number] = kernel.multiplied(values[one.number], values[other.number])
                case Made.EITHER:
                    shares = list(zip(node.said, map(NUMBER, node.parts), strict=True))
                    if wants & VALUE:
                        parts = [(share, values[at]) for share, at in shares]
                        values[number] = kernel.mixed(parts, True)
                    if wants & MASSES and all(at in masses for _, at in shares):
                        parts = [(share, masses[at]) for share, at in shares]
                        masses[number] = kernel.mixed(parts, False)
                case Made.ASIDE:
                    (part,) = node.parts
                    at = part.number
                    values[number] = kernel.cumulated(masses[at]) if timed else values[at]
                case Made.TOGETHER:
                    (part,) = node.parts
                    values[number] = values[part.number]
                    if timed:
                        masses[number] = kernel.differences(values[part.number])
                        values[number] = kernel.transformed(masses[number], size)
            if wants & MASSES and number not in masses:
                masses[number] = kernel.inverted(values[number], size)
            for one in over:
                values.pop(one.number, None)
                masses.pop(one.number, None)
        return values, masses

    def _amount(
        self,
        node: Distribution,
        measure: Measure,
        lattice: Lattice,
        wants: int,
        values: dict[int, Any],
        masses: dict[int, Any],
    ) -> None:
        """The transform and the masses of an attempt, a wait or a person."""
        kernel, size = self.kernel, lattice.size
        waits = node.made is Made.WAITED
        amounts = _amounts(node, measure)
        known = [self._known(lattice, one, waits) for one in amounts]
        if not known:
            values[node.number] = masses[node.number] = 1.0
            return
        if len(known) == 1:
            masses[node.number] = known[0]
        if wants & VALUE:
            value: Any = 1.0
            for one, amount in zip(known, amounts, strict=True):
                key = (lattice, amount, waits, "transform")
                if key not in self.amounts:
                    self.amounts[key] = kernel.transformed(one, size)
                value = kernel.multiplied(value, self.amounts[key])
            values[node.number] = value

    def _known(self, lattice: Lattice, amount: Lognormal | float, waits: bool) -> Any:
        """The masses of an amount, which is the same in several measures."""
        key = (lattice, amount, waits)
        if key not in self.amounts:
            made = self.kernel.uniform if waits else self.kernel.masses_of
            self.amounts[key] = made(lattice, amount)
        return self.amounts[key]

    # --------------------------------------------------------------------------------- means

    def mean(self, shares: dict[Distribution, float], measure: Measure) -> float:
        """The mean of a weight; beyond `MOST` where nothing bounds it."""
        averages = self._averages(list(shares), measure)
        return sum(share * averages[one.number] for one, share in shares.items())

    def _averages(self, roots: list[Distribution], measure: Measure) -> dict[int, float]:
        """The means of some distributions, and of all that they are made of."""
        known = self.averages.setdefault(measure, {})
        if all(root.number in known for root in roots):
            return known
        nodes = below(roots)
        longest: dict[Distribution, float] = {}
        if measure is not Measure.COST and any(one.made is Made.TOGETHER for one in nodes):
            alone = [one for one in nodes if one.made is Made.TOGETHER and one.number not in known]
            longest = self._longest(alone, measure)
        for node in nodes:
            if node.number not in known:
                known[node.number] = (
                    longest[node] if node in longest else _mean(node, measure, known)
                )
        return known

    def _longest(self, nodes: list[Distribution], measure: Measure) -> dict[Distribution, float]:
        """The means of maxima: the integrals of what is still under way, piece by piece on the
        finest lattice that reaches so far.
        """
        if measure.people:  # what waits for nobody takes the same with people as without
            machine = Measure(measure - 2)
            same = [node for node in nodes if not node.people]
            found = {node: self._averages(same, machine)[node.number] for node in same}
        else:
            found = {}
        left = [node for node in nodes if node not in found]
        sums: dict[int, float] = {}
        for node in below(left):
            sums[node.number] = _mean(node, measure, sums)
        for node in left:
            if sums[node.number] > MOST:
                found[node] = ENDLESS
        left = [node for node in left if node not in found]
        totals = dict.fromkeys(left, 0.0)
        if not left:
            return found
        plan = self._plan({node.parts[0]: VALUE for node in left}, measure)

        def functions(lattice: Lattice) -> dict[Distribution, list[float]]:
            values, _ = self._gone_through(plan, measure, lattice)
            return {node: self._written_out(values[node.parts[0].number], lattice) for node in left}

        # What shares lack for ever (`LACK`) is not under way.
        most = {node: points[-1] for node, points in functions(self.scales[-1]).items()}
        end = 0.0
        for lattice in self.scales:
            # The finer lattice may end between two points of this one.
            first = lattice.before(end)
            over, end = end - first * lattice.step, lattice.end
            for node, points in functions(lattice).items():
                under_way = [most[node] - share for share in points[first:]]
                totals[node] += lattice.step * sum(one for one in under_way if one >= NOISE)
                if under_way[0] < NOISE:
                    left.remove(node)
                else:
                    totals[node] -= over * under_way[0]
            if not left:
                break
        return found | totals

    def _written_out(self, function: Any, lattice: Lattice) -> list[float]:
        """A distribution function at all points."""
        if isinstance(function, float):
            return [function] * lattice.size
        found: list[float] = self.kernel.whole(function, lattice.size)
        return found


def _amounts(node: Distribution, measure: Measure) -> list[Lognormal | float]:
    """The amounts of an attempt, a wait or a person in a measure, but for nothing."""
    if node.made is Made.WAITED:
        return [] if measure is Measure.COST else [node.said]
    return [one for one in amounts_of(measure, *node.said) if one != 0.0]


def _adds_nothing(node: Distribution, measure: Measure, plain: dict[int, bool]) -> bool:
    """Whether the masses of a distribution are known without its transform: nothing adds up."""
    match node.made:
        case Made.NOTHING:
            return True
        case Made.TAKEN | Made.WAITED:
            return len(_amounts(node, measure)) < 2
        case Made.EITHER:
            return all(plain[part.number] for part in node.parts)
        case Made.TOGETHER:
            return measure is not Measure.COST
        case _:
            return False


def _mean(node: Distribution, measure: Measure, known: dict[int, float]) -> float:
    """The mean of a distribution, as if parts side by side followed one another."""
    match node.made:
        case Made.NOTHING:
            return 0.0
        case Made.WAITED:
            return 0.0 if measure is Measure.COST else float(node.said) / 2
        case Made.TAKEN:
            amounts = amounts_of(measure, *node.said)
            total = sum(one.mean if isinstance(one, Lognormal) else one for one in amounts)
            return min(total, ENDLESS)
        case Made.EITHER:
            parts = zip(node.said, node.parts, strict=True)
            return float(sum(share * known[part.number] for share, part in parts))
        case _:
            return sum(known[part.number] for part in node.parts)
