"""The search space of `tune`: settings, thresholds with evidence, tiers, retries, each with its
values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipelang.analysis.advice.attempts import (
    MOST_RETRIES,
    asked,
    fails,
    may_be_repeated,
    tier_places,
    with_retries,
)
from pipelang.analysis.advice.changes import ChangeKind
from pipelang.analysis.advice.cuts import Knob, settings, size_of, thresholds, turned
from pipelang.analysis.advice.trying import Bench
from pipelang.analysis.advice.written import Written, WrittenFile, page, written_links
from pipelang.diagnostics import Edit, Span
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import pipelines_run


@dataclass(frozen=True, slots=True)
class Alternative:
    """A value as it is shown, and the edit that sets it; none for what is written now."""

    shown: str
    edit: Edit | None


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing to set. `now` is the place of what is written among the choices; `step` whose tier
    or retries they are. Of a number, `values` are the choices; `place` is where a threshold stands,
    or the link that is retried; `setting` is the name of one.
    """

    kind: ChangeKind
    name: str
    choices: tuple[Alternative, ...]
    now: int
    step: str | None = None
    values: tuple[Any, ...] = ()
    place: Span | None = None
    setting: str | None = None


Assignment = tuple[int, ...]
"""For every dimension the place of its choice."""


def moves(one: Assignment, other: Assignment) -> int:
    """The number of dimensions in which two assignments differ."""
    return sum(a != b for a, b in zip(one, other, strict=True))


def edits_of(dimensions: Sequence[Dimension], assignment: Assignment) -> list[Edit]:
    """The edits that make an assignment of what is written."""
    chosen = (one.choices[at].edit for one, at in zip(dimensions, assignment, strict=True))
    return [edit for edit in chosen if edit is not None]


def dimensions(bench: Bench, pipeline: p.Pipeline) -> list[Dimension]:
    """Return the dimensions of a pipeline and of those that it runs, in the order of the search."""
    program = bench.program
    found: list[Dimension] = []
    if page(bench.sources, pipeline.span.file) is not None:
        found += map(_of_knob, settings(program, pipeline, bench.sources, every=True))
    for one in (pipeline, *pipelines_run(program, pipeline)):
        inside = "" if one is pipeline else one.name
        mine = page(bench.sources, one.span.file)
        if mine is not None:
            links = written_links(mine, one, inside)
            found += map(_of_knob, thresholds(program, one, mine, inside, every=True))
            found += [*_tiers(mine, links), *_retries(program, mine, links)]
    return [one for one in found if len(one.choices) > 1]


def _of_knob(knob: Knob) -> Dimension:
    number = size_of(knob.now)
    choices: list[Alternative] = []
    now = None
    for value in knob.values:
        if value == knob.now or (number is not None and size_of(value) == number):
            now = len(choices)
            choices.append(Alternative(knob.now, None))
        else:
            choices.append(Alternative(value, turned(knob, value)))
    if now is None:
        now = len(choices)
        choices.append(Alternative(knob.now, None))
    values = tuple(size_of(one.shown) for one in choices)
    numbers = () if None in values else values
    return Dimension(
        knob.kind,
        knob.name,
        tuple(choices),
        now,
        values=numbers,
        place=knob.spot if knob.kind is ChangeKind.THRESHOLD else None,
        setting=knob.setting if numbers else None,
    )


def _tiers(page: WrittenFile, links: Sequence[Written]) -> Iterator[Dimension]:
    """A tier wherever one is named, among those whose accuracy is declared for the step."""
    for one in links:
        places = tier_places(page, one)
        for number, (now, span) in enumerate(places):
            names = list(one.made.accuracy_by_tier)
            if now not in names:
                continue
            choices = [Alternative(x, None if x == now else Edit(span, x)) for x in names]
            place = f" ({number + 1})" if len(places) > 1 else ""
            name = f"{one.name} by{place}"
            yield Dimension(ChangeKind.TIER, name, tuple(choices), names.index(now), one.place)


def _retries(
    program: p.Program, page: WrittenFile, links: Sequence[Written]
) -> Iterator[Dimension]:
    for one in links:
        if not may_be_repeated(program, one.made) or not fails(program, one.made):
            continue
        now = one.made.retry.count
        counts = sorted({*range(MOST_RETRIES + 1), now})
        choices = [Alternative(str(x), with_retries(page, one, x)) for x in counts]
        name = f"{one.name} retry"
        yield Dimension(
            ChangeKind.RETRY,
            name,
            tuple(choices),
            counts.index(now),
            one.place,
            tuple(counts),
            one.made.span,
        )


def untold_tiers(pipeline: p.Pipeline, bench: Bench) -> list[str]:
    """Steps whose tier is not searched, because their accuracy is not declared tier by tier."""
    if len(bench.program.tiers) < 2:
        return []
    found: list[str] = []
    for here in (pipeline, *pipelines_run(bench.program, pipeline)):
        inside = "" if here is pipeline else here.name
        mine = page(bench.sources, here.span.file)
        found += [
            one.place
            for one in (written_links(mine, here, inside) if mine is not None else ())
            if one.head and asked(one.made) and len(one.made.accuracy_by_tier) < 2
        ]
    return list(dict.fromkeys(found))
