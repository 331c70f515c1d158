"""The likelihood of verdicts on cases of two classes, and what its curvature says of errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class NoFit(Exception):
    """There is no fit to be had: the reason, and what helps."""

    def __init__(self, why: str, help: str) -> None:
        super().__init__(why)
        self.why, self.help = why, help


def expected(right: Array, wrong: Array, hard: float, rates: Array) -> tuple[Array, float]:
    """The probability that each case is hard, and the log-likelihood of all."""
    import numpy as np

    tiny = 1e-12
    logs = np.log(np.clip(rates, tiny, 1)), np.log(np.clip(1 - rates, tiny, 1))
    easy = right @ logs[0][0] + wrong @ logs[1][0] + np.log(max(1 - hard, tiny))
    bad = right @ logs[0][1] + wrong @ logs[1][1] + np.log(max(hard, tiny))
    both = np.logaddexp(easy, bad)
    return np.exp(bad - both), float(both.sum())


STEP = 1e-3


def errors_at(
    likelihood: Callable[[Array], float], figures: Callable[[Array], Array], at: Array
) -> Array | None:
    """The standard errors of figures of a fit, by the curvature of the log-likelihood there (delta
    method); None where it is flat in some direction.
    """
    import numpy as np

    size = len(at)
    eye = np.eye(size) * STEP
    curved = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            curved[i, j] = curved[j, i] = (
                likelihood(at + eye[i] + eye[j])
                - likelihood(at + eye[i] - eye[j])
                - likelihood(at - eye[i] + eye[j])
                + likelihood(at - eye[i] - eye[j])
            ) / (4 * STEP * STEP)
    values = np.linalg.eigvalsh(-curved)
    if values[0] <= 1e-6 * max(1.0, values[-1]):
        return None
    slopes = np.array(
        [(figures(at + eye[i]) - figures(at - eye[i])) / (2 * STEP) for i in range(size)]
    )
    found: Array = np.sqrt(np.einsum("if,ij,jf->f", slopes, np.linalg.inv(-curved), slopes))
    return found
