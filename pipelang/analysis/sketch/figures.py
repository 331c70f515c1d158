"""Figures of a sketch in exact decimals, by the same rules as the analysis of a pipeline."""

from __future__ import annotations

from decimal import Decimal

from pipelang.analysis.sketch.reading import Sketch
from pipelang.records import dataclass, replace

DAYS_A_MONTH = 30
ZERO, ONE = Decimal(0), Decimal(1)
CLOSE = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class SketchFigures:
    """Shares of runs that are right, wrong unnoticed and failed; dollars and seconds of a run."""

    success: Decimal
    silent_error: Decimal
    failure: Decimal
    cost_mean: Decimal
    cost_worst: Decimal
    seconds_mean: Decimal
    seconds_worst: Decimal


def figures(sketch: Sketch) -> SketchFigures:
    """Work out one step after the other; the first that fails ends the run."""
    success, reached = ONE, ONE
    cost, cost_worst, seconds, seconds_worst = ZERO, ZERO, ZERO, ZERO
    for step in (steps for steps in sketch.steps for _ in range(steps.count)):
        # Decimal has no 0 ** 0: the first attempt is always made.
        attempts = ONE + sum((step.fails**n for n in range(1, step.retry + 1)), ZERO)
        most, exhausted = step.retry + 1, step.fails ** (step.retry + 1)
        right, answers = step.accuracy * (1 - exhausted), 1 - exhausted
        if step.fallback is not None:
            right, answers = right + exhausted * step.fallback, ONE
            attempts, most = attempts + exhausted, most + 1
        cost, cost_worst = cost + reached * attempts * step.cost, cost_worst + most * step.cost
        seconds += reached * attempts * step.seconds
        seconds_worst += most * step.seconds
        success, reached = success * right, reached * answers
    wrong, failed = reached - success, 1 - reached
    return SketchFigures(success, wrong, failed, cost, cost_worst, seconds, seconds_worst)


def at_accuracy(sketch: Sketch, accuracy: Decimal) -> Sketch:
    """The sketch with this accuracy for every step."""
    return replace(sketch, steps=tuple(replace(steps, accuracy=accuracy) for steps in sketch.steps))


def better_by(sketch: Sketch, points: Decimal, index: int | None = None) -> Sketch:
    """The sketch with `points` (a share) added to the accuracy of all its steps, or of those at an
    index; at most 1.
    """
    return replace(
        sketch,
        steps=tuple(
            replace(steps, accuracy=min(ONE, steps.accuracy + points))
            if index in (None, number)
            else steps
            for number, steps in enumerate(sketch.steps)
        ),
    )


def needed(sketch: Sketch, target: Decimal) -> Decimal | None:
    """The least accuracy, the same for every step, with which `target` of the runs are right.

    None if even perfect steps do not reach it, because too much fails.
    """
    if figures(at_accuracy(sketch, ONE)).success < target:
        return None
    low, high = ZERO, ONE
    while high - low > CLOSE:
        middle = (low + high) / 2
        if figures(at_accuracy(sketch, middle)).success >= target:
            high = middle
        else:
            low = middle
    return high
