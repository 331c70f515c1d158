"""The likelihood of verdicts on cases of two classes, and what its curvature says of errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class NoFit(Exception):
    """There is no fit to be had: the reason, and what helps."""

    def __init__(self, why: str, help: str) -> None:
        super().__init__(why)
        self.why, self.help = why, help


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The right and the wrong answers by kind of case and file, and how many cases are of each
    kind: those with the same verdicts in all files are of one.
    """

    right: Array
    wrong: Array
    often: Array

    @property
    def cases(self) -> int:
        return int(self.often.sum())

    @property
    def answers(self) -> Array:
        """The number of answers to a case of each kind, by file."""
        both: Array = self.right + self.wrong
        return both


def tallied(right: Array, wrong: Array) -> Verdicts:
    """The verdicts on cases that are given one by one."""
    import numpy as np

    both, often = np.unique(np.hstack([right, wrong]), axis=0, return_counts=True)
    files = right.shape[1]
    return Verdicts(both[:, :files], both[:, files:], often.astype(float))


def expected(verdicts: Verdicts, hard: float, rates: Array) -> tuple[Array, float]:
    """The probability that a case of each kind is hard, and the log-likelihood of all cases."""
    import numpy as np

    tiny = 1e-12
    right, wrong = verdicts.right, verdicts.wrong
    logs = np.log(np.clip(rates, tiny, 1)), np.log(np.clip(1 - rates, tiny, 1))
    easy = right @ logs[0][0] + wrong @ logs[1][0] + np.log(max(1 - hard, tiny))
    bad = right @ logs[0][1] + wrong @ logs[1][1] + np.log(max(hard, tiny))
    both = np.logaddexp(easy, bad)
    return np.exp(bad - both), float(verdicts.often @ both)


STEP = 1e-3


def covariance_at(
    likelihood: Callable[[Array], float], figures: Callable[[Array], Array], at: Array
) -> Array | None:
    """The covariance of figures of a fit, by the curvature of the log-likelihood there (delta
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
    found: Array = slopes.T @ np.linalg.inv(-curved) @ slopes
    return found
