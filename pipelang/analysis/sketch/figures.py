"""The figures of a sketch, in exact decimals."""

from __future__ import annotations

from decimal import Decimal
from math import prod

from pipelang.analysis.sketch.reading import Sketch, SketchSteps
from pipelang.records import dataclass, replace

DAYS_A_MONTH = 30
ZERO, ONE = Decimal(0), Decimal(1)
CLOSE = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class SketchFigures:
    """The figures of a run: right, wrong without being noticed, failed; dollars and seconds."""

    success: Decimal
    silent_error: Decimal
    failure: Decimal
    cost_mean: Decimal
    cost_worst: Decimal
    seconds_mean: Decimal
    seconds_worst: Decimal


@dataclass(frozen=True, slots=True)
class _One:
    """One step: P(right), P(answers), attempts on average and at most."""

    right: Decimal
    answers: Decimal
    attempts: Decimal
    most: int


def _one(steps: SketchSteps) -> _One:
    """Attempts until one does not fail; then something else, which never does."""
    options = steps.options
    fails, retries = options.fails or ZERO, options.retry or 0
    out = fails ** (retries + 1) if fails else ZERO
    attempts = sum((fails**number for number in range(retries + 1)), ZERO) if fails else ONE
    right, answers = steps.accuracy * (1 - out), 1 - out
    if options.fallback is None:
        return _One(right, answers, attempts, retries + 1)
    return _One(right + out * options.fallback, ONE, attempts + out, retries + 2)


def figures(sketch: Sketch) -> SketchFigures:
    """One step after the other; the first that fails ends the run."""
    success, reached = ONE, ONE
    cost, seconds = [ZERO, ZERO], [ZERO, ZERO]
    for steps in sketch.steps:
        one, options = _one(steps), steps.options
        for _ in range(steps.count):
            attempts = reached * one.attempts
            for total, each in ((cost, options.cost or ZERO), (seconds, options.seconds or ZERO)):
                total[0] += attempts * each
                total[1] += one.most * each
            success *= one.right
            reached *= one.answers
    return SketchFigures(success, reached - success, 1 - reached, *cost, *seconds)


def at_accuracy(sketch: Sketch, accuracy: Decimal) -> Sketch:
    """The sketch with every step as right as this."""
    return replace(sketch, steps=tuple(replace(steps, accuracy=accuracy) for steps in sketch.steps))


def better_by(sketch: Sketch, points: Decimal, index: int | None = None) -> Sketch:
    """The sketch with its steps (or those at one index) so much better, at most perfect."""
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
    """Return the accuracy that every step needs for this share of right runs; None if perfect steps
    do not suffice, because too many fail.
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


def naive(sketch: Sketch) -> Decimal:
    """Return the product of all accuracies."""
    return prod((steps.accuracy**steps.count for steps in sketch.steps), start=ONE)
