"""The exact posterior mean: a figure is a polynomial in the counted shares, and quadrature averages
it.

A polynomial of degree d in a Beta-distributed share is averaged without error by the Gauss-Jacobi
rule with (d + 1) / 2 points, rounded up: one point, the mean, where it is of degree one. Nodes and
weights are the eigenvalues of the rule's symmetric tridiagonal matrix and the first entries of its
vectors (Golub and Welsch, "Calculation of Gauss quadrature rules", 1969). Dirichlet bins are
decomposed into independent Betas by stick breaking. Degrees come from a sweep over degrees
(`bernstein_bounds`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod, sqrt
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.bernstein_bounds import Degrees, degree_of
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.work_limit import limited
from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MOST_POINTS = 20_000
"""Points of the rule at most; beyond it the mean of the draws must do."""

MOST_NODES = 400
"""Nodes along one figure: finding them takes their cube of work."""

MOST_WORK = 500_000_000
"""States of a sweep times points."""

JEFFREYS = 0.5
"""The pseudo-count of Jeffreys' prior."""


@dataclass(frozen=True, slots=True)
class Beta:
    """A Beta distribution, and the degree in it of the figures to be averaged."""

    a: float
    b: float
    degree: int


def nodes_for(degree: int) -> int:
    """The number of nodes that average a polynomial of this degree exactly."""
    return (degree + 2) // 2


def gauss_jacobi(beta: Beta) -> tuple[Array, Array]:
    """Nodes in [0, 1] and weights that average polynomials of the degree exactly."""
    import numpy as np

    count = nodes_for(beta.degree)
    # The rule for the weight (1 - t)^p (1 + t)^q on [-1, 1], with x = (1 + t) / 2.
    p, q = beta.b - 1, beta.a - 1
    diagonal = np.empty(count)
    beside = np.empty(max(count - 1, 0))
    for n in range(count):
        total = 2 * n + p + q
        diagonal[n] = (q - p) / (p + q + 2) if n == 0 else (q * q - p * p) / (total * (total + 2))
    for n in range(1, count):
        total = 2 * n + p + q
        if n == 1:
            square = 4 * (1 + p) * (1 + q) / ((2 + p + q) ** 2 * (3 + p + q))
        else:
            square = 4 * n * (n + p) * (n + q) * (n + p + q)
            square /= total**2 * (total + 1) * (total - 1)
        beside[n - 1] = sqrt(square)
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return (1 + nodes) / 2, vectors[0] ** 2


@dataclass(frozen=True, slots=True)
class QuadratureRule:
    """The parameters of a sweep over all points, and the points' weights."""

    parameters: Parameters
    weights: Array

    @property
    def size(self) -> int:
        """Number of points."""
        return int(self.weights.size)

    def mean(self, values: Any) -> float:
        """The average of a figure of that sweep."""
        import numpy as np

        return float(np.sum(self.weights * np.broadcast_to(values, self.weights.shape)))


Sites = dict[str, tuple[int, int]]
Bins = dict[tuple[str, bool], tuple[int, ...]]


def degree_parameters(point: Parameters) -> tuple[Parameters, int]:
    """Parameters for a sweep over degrees in all that was counted, and how many there are."""
    count = len(point.counted) + sum(len(counts) - 1 for counts in point.counted_bins.values())
    units = (
        Degrees(tuple(1 if at == index else 0 for at in range(count))) for index in range(count)
    )
    return with_posterior(point, units), count


def _broken(sticks: Sequence[Any]) -> tuple[Any, ...]:
    """Shares that sum to 1: each stick takes its part of what is left."""
    shares: list[Any] = []
    left: Any = 1.0
    for stick in sticks:
        shares.append(left * stick)
        left = left * (1 - stick)
    return (*shares, left)


def posterior_betas(point: Parameters) -> Iterator[tuple[float, float]]:
    """The posteriors of all that was counted, as independent Betas: shares, then sticks of bins."""
    for good, total in point.counted.values():
        yield good + JEFFREYS, total - good + JEFFREYS
    for counts in point.counted_bins.values():
        for index, number in enumerate(counts[:-1]):
            rest = sum(other + JEFFREYS for other in counts[index + 1 :])
            yield number + JEFFREYS, rest


def rule(point: Parameters, figures: Sequence[Any], count: int, work: int) -> QuadratureRule | None:
    """The rule that is exact for figures of these degrees; None if it has too many points."""
    import numpy as np

    degrees = [0] * count
    for figure in figures:
        degrees = list(map(max, degrees, degree_of(figure, count)))
    betas = list(posterior_betas(point))
    most = min(MOST_POINTS, limited(MOST_WORK) // work)
    each = list(map(nodes_for, degrees))
    if prod(each) > most or max(each, default=0) > MOST_NODES:
        return None
    rules = [
        gauss_jacobi(Beta(a, b, degree)) for (a, b), degree in zip(betas, degrees, strict=True)
    ]
    # Arrays have 32 axes at most, so only what has more than one node gets one.
    several = [part for part in rules if len(part[0]) > 1]
    meshes = iter(np.meshgrid(*(nodes for nodes, _ in several), indexing="ij"))
    weights = np.ones(())
    for _, part in several:
        weights = np.multiply.outer(weights, part)
    flat = weights.reshape(-1)
    values = iter(
        [
            next(meshes).reshape(-1) if len(nodes) > 1 else np.full(flat.size, nodes[0])
            for nodes, _ in rules
        ]
    )
    return QuadratureRule(with_posterior(point, values), flat)


def with_posterior(point: Parameters, values: Iterator[Any]) -> Parameters:
    """Parameters with these values for what was counted, in the order of `posterior_betas`."""
    measured = {site: next(values) for site in point.counted}
    bins = {
        key: _broken([next(values) for _ in counts[1:]])
        for key, counts in point.counted_bins.items()
    }
    return Parameters(point.evidence, point.unknown, measured, bins)
