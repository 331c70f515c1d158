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
class TalliedVerdicts:
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


def tallied(right: Array, wrong: Array) -> TalliedVerdicts:
    """The verdicts on cases that are given one by one."""
    import numpy as np

    both, often = np.unique(np.hstack([right, wrong]), axis=0, return_counts=True)
    files = right.shape[1]
    return TalliedVerdicts(both[:, :files], both[:, files:], often.astype(float))


def expected(verdicts: TalliedVerdicts, hard: Any, rates: Array) -> tuple[Array, Any]:
    """The probability that a case of each kind is hard, and the log-likelihood of all cases; of
    several fits at once if `hard` and `rates` have an axis more, before the others.
    """
    import numpy as np

    tiny = 1e-12
    right, wrong = np.log(np.clip(rates, tiny, 1)), np.log(np.clip(1 - rates, tiny, 1))
    given = right @ verdicts.right.T + wrong @ verdicts.wrong.T
    share = np.asarray(hard)[..., None]
    easy = given[..., 0, :] + np.log(np.maximum(1 - share, tiny))
    bad = given[..., 1, :] + np.log(np.maximum(share, tiny))
    both = np.logaddexp(easy, bad)
    return np.exp(bad - both), both @ verdicts.often


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
