"""Sampling the contenders of a row in turn, and judging what came out.

A ratio is made of two samples that were taken within the same round, so whatever slows the machine
down for longer than a round slows down both. The order changes from round to round: who comes
first after a heavy neighbour would pay for its cold caches every time.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import sys
from collections.abc import Sequence

from benchmarks.model import (
    Contender,
    Measured,
    Outcome,
    Row,
    Spread,
    Target,
    TooLong,
    Unavailable,
    Verdict,
)


def measure(row: Row, rounds: int) -> Outcome:
    """Sample every contender of a row `rounds` times."""
    samples: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    missing: dict[str, Unavailable] = {}
    running = []
    try:
        for contender in row.contenders:
            try:
                if contender.start is not None:
                    contender.start()
                running.append(contender)
                samples[contender.name] = []
            except Unavailable as why:
                missing[contender.name] = why
        order = list(running)
        shuffle = random.Random(row.key).shuffle
        for number in range(-row.warm_up, rounds):
            _progress(row, number, rounds)
            shuffle(order)
            for contender in list(order):
                try:
                    sample = _sample(contender)
                except Unavailable as why:
                    missing[contender.name] = why
                    order.remove(contender)
                    samples.pop(contender.name)
                    continue
                if number >= 0:
                    samples[contender.name].append(sample)
                    if contender.processor is not None:
                        processor.setdefault(contender.name, []).append(contender.processor())
    finally:
        for contender in running:
            if contender.close is not None:
                with contextlib.suppress(Unavailable):
                    contender.close()
        _progress(row, None, rounds)
    measured = tuple(
        _measured(contender, samples, processor, row.base, missing.get(contender.name))
        for contender in row.contenders
    )
    verdicts = tuple(judge(target, samples, missing) for target in row.targets)
    return Outcome(row, rounds, measured, verdicts)


def _sample(contender: Contender) -> float:
    if contender.prepare is not None:
        contender.prepare()
    return contender.sample()


def _measured(
    contender: Contender,
    samples: dict[str, list[float]],
    processor: dict[str, list[float]],
    base: str,
    why: Unavailable | None,
) -> Measured:
    name, kind, note = contender.name, contender.kind, contender.note
    if not samples.get(name):
        return Measured(name, kind, note=note, why=str(why or ""))
    return Measured(
        name,
        kind,
        spread(samples[name]),
        _ratio(samples, name, base),
        _ratio(processor, name, base),
        note,
    )


def _ratio(samples: dict[str, list[float]], name: str, base: str) -> Spread | None:
    own, below = samples.get(name), samples.get(base)
    return spread(ratios(own, below)) if own and below else None


def ratios(own: Sequence[float], base: Sequence[float]) -> list[float]:
    """The ratios of the samples of each round."""
    return [one / other for one, other in zip(own, base, strict=True)]


def spread(samples: Sequence[float]) -> Spread:
    """The median and the quartiles."""
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0])
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high)


def judge(
    target: Target, samples: dict[str, list[float]], missing: dict[str, Unavailable]
) -> Verdict:
    """Whether the median reaches a target."""
    if isinstance(missing.get(target.of), TooLong):
        return Verdict(target, None, False)
    own = samples.get(target.of)
    base = None if target.against is None else samples.get(target.against)
    if not own or (target.against is not None and not base):
        return Verdict(target, None, None)
    reached = statistics.median(ratios(own, base) if base else own)
    return Verdict(target, reached, reached <= target.limit)


def _progress(row: Row, number: int | None, rounds: int) -> None:
    """What is going on, on a terminal only."""
    if sys.stderr.isatty():
        line = "" if number is None else f"{row.key}: round {max(0, number + 1)} of {rounds}"
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
