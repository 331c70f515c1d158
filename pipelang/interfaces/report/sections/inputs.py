"""The inputs of the analysis, each with its basis (declared, counted, measured) and its place."""

from __future__ import annotations

import os
from typing import assert_never

from pipelang.analysis.metrics.derivation import recorded
from pipelang.interfaces.report.sections.basis import parsed, site_name
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import percent, plural
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.records import dataclass
from pipelang.semantics.chance import (
    ByCase,
    Chance,
    CountedShare,
    Declared,
    MeasuredShare,
    Undeclared,
)
from pipelang.semantics.quantities import show_seconds


@dataclass(frozen=True, slots=True)
class Input:
    """A number that went in: its name, its figure, how it is known, and where it stands."""

    name: str
    figure: str
    known: str
    place: str


def inputs(view: View) -> list[Input]:
    """All shares that the analysis of a pipeline asked for, in the order in which it did."""
    _, recorder = recorded(view.program, view.pipeline)
    found = [_input(view, site, chance) for site, (chance, _) in recorder.asked.items()]
    for site in recorder.bases:
        if site.endswith(".responds") and site not in recorder.asked:
            role = view.program.roles.get(site.removesuffix(".responds"))
            source = None if role is None else view.sources.get(role.span.file)
            if role is None or source is None or role.responds is None:
                continue
            place = f"{source.name}:{source.position(role.span.start).line}"
            median = f"{show_seconds(float(role.responds.median))} median"
            found.append(Input(f"{role.name} responds", median, "declared", place))
    return found


def _input(view: View, site: str, chance: Chance) -> Input:
    name, place = site_name(site, view.pipeline.name), _place(view, site)
    match chance:
        case Declared():
            if not place:
                return Input(name, percent(float(chance.share)), "by default", "not declared")
            return Input(name, percent(float(chance.share)), "declared", place)
        case CountedShare():
            share = percent(chance.good / chance.total)
            known = f"counted: {chance.good:,} of {chance.total:,}"
            return Input(name, share, known, place)
        case MeasuredShare():
            file = view.program.evidence[chance.file]
            number = len(file.rows)
            shown = os.path.relpath(chance.file, os.path.dirname(view.program.file) or ".")
            where = chance.file if shown.startswith("..") else shown
            known = f"measured: {file.right:,} of {plural(number, 'row')}"
            if chance.shift:
                known += f", shift {percent(float(chance.shift))}"
            return Input(f"right in {where}", percent(file.right / number), known, chance.file)
        case Undeclared():
            return Input(name, "?", "unknown", "nobody declared it")
        case ByCase():
            easy, hard = (_input(view, part.site, part) for part in (chance.easy, chance.hard))
            figure = f"{easy.figure}, {hard.figure} if hard"
            known = easy.known if easy.known == hard.known else f"{easy.known}; {hard.known}"
            return Input(name, figure, known, place)
        case _:
            assert_never(chance)


def _place(view: View, site: str) -> str:
    """`FILE:LINE` of the words that declare a parameter; empty where none do."""
    found = parsed(site)
    source = None if found is None else view.sources.get(found[0])
    if found is None or source is None:
        return ""
    return f"{source.name}:{source.position(found[1]).line}"


def input_lines(view: View) -> list[str]:
    """The numbers as a table."""
    found = inputs(view)
    if not found:
        return []
    rows: list[Row] = [
        [one.name, one.figure, Cell(one.known, "dim"), Cell(one.place, "dim")] for one in found
    ]
    head = view.heading("Where each number comes from")
    return [head, *lay_out(rows, "<><<", view.paint, width=view.width, whole=True)]
