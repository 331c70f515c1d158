"""Changes of thresholds, over the cuts that the evidence offers, and of settings in their range.

A threshold between two confidences of the evidence behaves like one at the upper of them, so the
confidences that occur are all the different cuts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from pipelang.analysis.advice.changes import Change, ChangeKind
from pipelang.analysis.advice.shares import Weights
from pipelang.analysis.advice.written import WrittenFile, seen_from
from pipelang.analysis.model.evidence import EvidenceTable, LabelledAnswers
from pipelang.analysis.model.model import confidence_cut, file_cuts, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.diagnostics import Edit, Source, Sources, Span
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.quantities import plain, show_value
from pipelang.semantics.types import Scalar, ScalarKind
from pipelang.semantics.walk import all_items
from pipelang.syntax import ast
from pipelang.syntax.parse import parse

MOST_CUTS = 8
"""Cuts of one threshold that are looked at, spread evenly over the rows of the evidence."""
GRID = 5
"""Values of a setting that are looked at, from the least to the greatest."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A number that can be set: what it is called, where it stands, what it is and could be.

    `values` are texts as they would be written, in order of size; `shares` say for each how much of
    the evidence lies between it and what is written now.
    """

    kind: ChangeKind
    name: str
    step: str | None
    spot: Span
    now: str
    values: tuple[str, ...]
    shares: tuple[float, ...]
    setting: str | None = None


def thresholds(
    program: p.Program,
    pipeline: p.Pipeline,
    page: WrittenFile,
    inside: str = "",
    every: bool = False,
) -> list[Knob]:
    """The thresholds of a pipeline that stand in it as numbers and have evidence; `inside` is its
    name where it is a sub-pipeline. `every`: over all the cuts of the evidence.
    """
    evidence = EvidenceTable(program.evidence)
    found: dict[Span, Knob] = {}
    for step, file, compare in _cuts(program, pipeline, evidence):
        side = _constant(compare)
        if side is None or side.setting is not None or side.span.file != page.source.name:
            continue
        written = page.words(side.span)
        if not re.fullmatch(r"[\d.]+%", written):
            continue
        answers = evidence[file]
        values = offered(answers, side.value, every)
        shown = tuple(f"{plain(value * 100)}%" for value in values)
        shares = tuple(_share_moved(answers, side.value, value) for value in values)
        gate, step = _owner(pipeline, side.span), seen_from(inside, step)
        name = f"`{step}.confidence`"
        if gate:
            name = f"gate `{seen_from(inside, gate)}`: {step}.confidence"
        found[side.span] = Knob(ChangeKind.THRESHOLD, name, step, side.span, written, shown, shares)
    return list(found.values())


def settings(
    program: p.Program, pipeline: p.Pipeline, sources: Sources, every: bool = False
) -> list[Knob]:
    """The settings that a pipeline reads, over a grid of their range; one that a confidence is
    compared with, over the cuts of the evidence that lie in it.
    """
    declared = _declared(sources)
    evidence = EvidenceTable(program.evidence)
    files: dict[str, str] = {}
    for one in (pipeline, *pipelines_run(program, pipeline)):
        for _, file, compare in _cuts(program, one, evidence):
            side = _constant(compare)
            if side is not None and side.setting is not None:
                files.setdefault(side.setting, file)
    found = []
    for key, const in program.settings.items():
        written = declared.get(key)
        if written is None or not isinstance(const.type, Scalar) or const.value is None:
            continue
        type, (source, decl) = const.type, written
        assert type.low is not None and type.high is not None
        if key in files:
            answers = evidence[files[key]]
            found_cuts = offered(answers, const.value, every)
            cuts = [x for x in found_cuts if type.low <= x <= type.high]
            shares = [_share_moved(answers, const.value, x) for x in cuts]
        else:
            cuts = grid(type, const.value)
            width = type.high - type.low
            shares = [0.02 * float(abs(x - const.value) / width) if width else 0.0 for x in cuts]
        span = decl.value.span
        now = source.text[span.start : span.end]
        values = tuple(show_value(x, type) for x in cuts)
        found.append(
            Knob(
                ChangeKind.SETTING, f"setting `{key}`", None, span, now, values, tuple(shares), key
            )
        )
    return found


def turned(knob: Knob, value: str) -> Edit:
    """Return the edit that sets a knob to one of its values."""
    return Edit(knob.spot, value)


def turns(knobs: Sequence[Knob], weights: Weights, everything: bool) -> Iterator[Change]:
    """Every knob one cut lower and one higher, or with `everything` at all its values."""
    for knob in knobs:
        number = size_of(knob.now)
        lower = [x for x in knob.values if number is not None and (size_of(x) or 0) < number]
        higher = [x for x in knob.values if number is not None and (size_of(x) or 0) > number]
        near = knob.values if everything else (*lower[-1:], *higher[:1])
        for value in near:
            if value == knob.now or size_of(value) == number:
                continue
            share = knob.shares[knob.values.index(value)]
            guess = share * (weights.of(knob.step) if knob.step else 0.5)
            words = f"{knob.name} {knob.now} → {value}"
            yield Change(knob.kind, knob.step, words, (turned(knob, value),), guess)


def offered(answers: LabelledAnswers, now: Decimal, every: bool) -> list[Decimal]:
    """Cuts from the confidences that occur, with what is now: `every` one that differs, and those
    that all and none of them reach; else some, at about even numbers of rows.
    """
    known = answers.sorted_confidences()
    if every:
        return sorted({*known, now, Decimal(0), Decimal(1)})
    places = [len(known) * (i + 1) // (MOST_CUTS + 1) for i in range(MOST_CUTS)]
    exact = {known[at] for at in places if at < len(known)}
    # What cannot be written in hundredths of a percent is left out.
    short = {value for value in exact if value == value.quantize(Decimal("0.0001"))}
    return sorted(short | {now})


def grid(type: Scalar, now: Any) -> list[Any]:
    """Values of a setting over its range, in numbers that people write; what is now is one."""
    assert type.low is not None and type.high is not None
    low, high = type.low, type.high
    if type.kind is ScalarKind.INT:
        step = max(1, int(high - low) // (GRID - 1))
        whole = {*range(int(low), int(high) + 1, step), int(high), int(now)}
        return sorted(whole)
    parts = {low + (high - low) * i / (GRID - 1) for i in range(GRID)}
    unit = (high - low).adjusted() - 2
    rounded = {part.quantize(Decimal(1).scaleb(min(0, unit))) for part in parts}
    inside = {low, high, *(part for part in rounded if low < part < high)}
    return sorted({*inside, now})


def size_of(written: str) -> Decimal | None:
    """A literal as a number, for order among literals of one unit; None for an expression."""
    match = re.fullmatch(r"\$?([\d.]+)\s*(ms|s|m|h|d|%)?", written)
    if match is None:
        return None
    units = {"ms": "0.001", "s": "1", "m": "60", "h": "3600", "d": "86400", "%": "0.01"}
    return Decimal(match[1]) * Decimal(units.get(match[2] or "", "1"))


def _share_moved(answers: LabelledAnswers, one: Decimal, other: Decimal) -> float:
    """The share of the rows that one threshold lets pass and the other does not."""
    return answers.share_between(min(one, other), max(one, other))


def _cuts(
    program: p.Program, pipeline: p.Pipeline, evidence: EvidenceTable
) -> Iterator[tuple[str, str, expr.Compare]]:
    if not evidence:
        return
    model = make_model(program, pipeline, Parameters(evidence, lambda site: 0.5))
    for step, file, _, compare in file_cuts(model, list(all_items(model.pipeline.block))):
        yield step, file, compare


def _constant(compare: expr.Compare) -> expr.Const | None:
    """The constant side of a comparison with a confidence."""
    if confidence_cut(compare) is None:
        return None
    return next((x for x in (compare.left, compare.right) if isinstance(x, expr.Const)), None)


def _owner(pipeline: p.Pipeline, span: Span) -> str | None:
    """The gate or branch whose test stands at a place."""
    for item in all_items(pipeline.block):
        if isinstance(item, (p.Gate, p.When)):
            for part in expr.walk(item.condition):
                if isinstance(part, expr.Const) and part.span == span:
                    return item.name
    return None


def _declared(sources: Sources) -> dict[str, tuple[Source, ast.SettingDecl]]:
    """The settings of all files that may be edited, by name."""
    found: dict[str, tuple[Source, ast.SettingDecl]] = {}
    for name, source in sources.items():
        if name.startswith("std/") or not name.endswith(".pipe") or "setting" not in source.text:
            continue
        for one in parse(source).module.declarations:
            if isinstance(one, ast.SettingDecl):
                found[one.name.text] = (source, one)
    return found
