"""Gathers the sections of the page from the checked result, and renders the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.diagnostics import Diagnostic
from pipelang.interfaces.check.check import Checked, review_loads
from pipelang.interfaces.check.tier_notes import tier_notes
from pipelang.interfaces.report.heading import has_table
from pipelang.interfaces.report.html.parts import (
    Finding,
    HtmlPicture,
    HtmlTable,
    as_cell,
    curves,
    finding,
    graph_picture,
    table,
)
from pipelang.interfaces.report.sections.basis import basis_parts
from pipelang.interfaces.report.sections.costs import NOTHING, cost_rows, dearest_path, is_free
from pipelang.interfaces.report.sections.inputs import inputs
from pipelang.interfaces.report.sections.outcomes import (
    escalation_head,
    escalation_rows,
    is_open,
    outcome_note,
    outcome_rows,
    remarks,
)
from pipelang.interfaces.report.sections.promises import promise_rows
from pipelang.interfaces.report.sections.review import remarks as review_remarks
from pipelang.interfaces.report.sections.review import review_rows
from pipelang.interfaces.report.sections.sentence import sentence
from pipelang.interfaces.report.sections.steps import LEGEND, compounding, step_rows
from pipelang.interfaces.report.sections.structure import in_words
from pipelang.interfaces.report.sections.times import most_time, time_rows
from pipelang.interfaces.report.sections.undeclared import NOTE, missing
from pipelang.interfaces.report.text import closing_line
from pipelang.interfaces.report.view import View, says_something
from pipelang.interfaces.text.colours import painter
from pipelang.interfaces.text.table import Cell, Row
from pipelang.records import dataclass
from pipelang.semantics.metrics import SUCCESS

WIDTH = 100
TEMPLATES = Path(__file__).parent
"""Macros for a report (`sections.html`), the page made of them, and its stylesheet."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a note, a table or a picture, and sentences below it."""

    title: str
    note: str = ""
    table: HtmlTable | None = None
    pictures: tuple[HtmlPicture, ...] = ()
    said: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the bar of outcomes."""

    words: str
    style: str
    share: float


@dataclass(frozen=True, slots=True)
class Report:
    """A pipeline on the page; `shares` are empty where outcomes are ranges."""

    name: str
    place: str
    doc: str
    sentence: str
    notes: tuple[str, ...]
    shares: tuple[Share, ...]
    sections: tuple[Section, ...]


def report_html(checked: Sequence[Checked], extra: Sequence[Diagnostic] = ()) -> str:
    """The whole page over some files; `extra` are findings that belong to no file."""
    found: dict[Diagnostic, Finding] = {}
    for one in checked:
        for each in one.diagnostics:
            found.setdefault(each, finding(each, one.sources))
    for each in extra:
        found.setdefault(each, finding(each, {}))
    reports = [pipeline_report(one, analysis) for one in checked for analysis in one.analyses]
    return render_page(
        reports,
        closing=closing_line(list(found), len(checked)),
        review=review_section(checked),
        findings=list(found.values()),
    )


def render_page(
    reports: Sequence[Report],
    *,
    closing: str,
    review: Section | None = None,
    findings: Sequence[Finding] = (),
    command: str = "pipelang check",
) -> str:
    """The page of some reports; `closing` stands at its top, `command` is what made it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.lstrip_blocks = True
    return environment.get_template("report.html").render(
        title=", ".join(report.name for report in reports[:3]) or "nothing to report on",
        reports=reports,
        review=review,
        findings=findings,
        closing=closing,
        command=command,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
    )


def pipeline_report(checked: Checked, analysis: Analysis) -> Report:
    """The part of the page on one pipeline of a file."""
    assert checked.program is not None
    view = View(checked.program, analysis, checked.sources, WIDTH, painter(False), verbose=True)
    span = view.pipeline.span
    source = view.sources.get(span.file)
    place = span.file if source is None else f"{span.file}:{source.position(span.start).line}"
    sections = [section for section in _sections(view) if section is not None]
    doc = view.pipeline.doc or ""
    notes = tuple(tier_notes(view.program, view.pipeline))
    return Report(
        view.pipeline.name, place, doc, sentence(view), notes, _shares(view), tuple(sections)
    )


def _shares(view: View) -> tuple[Share, ...]:
    if view.number(SUCCESS).value is None:
        return ()
    found = []
    for row in outcome_rows(view):
        name, share, *_, last = map(as_cell, row)
        if last.reach is not None:
            found.append(Share(f"{name.text} {share.text}", last.style, last.reach[0]))
    return tuple(found)


def _sections(view: View) -> list[Section | None]:
    """In the order of the text report: what needs no figures first where there are none."""
    known = (_outcomes, _graph, _steps, _promises, _escalations, _costs, _times, _undeclared)
    unknown = (_graph, _steps, _costs, _times, _undeclared, _outcomes, _promises)
    order = known if says_something(view.number(SUCCESS)) else unknown
    return [section(view) for section in (*order, _curves, _basis)]


def _outcomes(view: View) -> Section | None:
    if is_open(view):
        return None
    head = ("outcome", "share", "range", "")
    rows = table("What becomes of a run", head, "<>><", outcome_rows(view))
    said = tuple(remarks(view))
    return Section("What becomes of a run", outcome_note(view), rows, said=said)


def _graph(view: View) -> Section | None:
    picture = graph_picture(view)
    return None if picture is None else Section("What it does", pictures=(picture,))


def _steps(view: View) -> Section | None:
    if not view.analysis.steps:
        return None
    if not has_table(view.analysis):
        found = table("Steps", ("step", "tried", "then"), "<<<", in_words(view))
        return Section("Steps", table=found)
    rows = step_rows(view, range(len(view.analysis.steps)))
    names = ["step", *(as_cell(part).text for part in rows[0][1:])]
    said = tuple(part for part in compounding(view) if part)
    found = table("Steps", names, "<>>>>><", rows[1:])
    return Section("Steps", table=found, said=said, terms=LEGEND)


def _promises(view: View) -> Section | None:
    if not view.analysis.slo:
        return Section("Promises (slo)", said=("none: an slo block says what must hold",))
    rows: list[Row] = []
    for row in promise_rows(view):
        mark, metric, target, value, interval, sure = map(as_cell, row)
        verdict = Cell(f"{mark.text} {sure.text}", mark.style)
        rows.append([f"{metric.text} {target.text}", verdict, value, interval])
    head = ("promise", "verdict", "figure", "range")
    return Section("Promises (slo)", table=table("Promises", head, "<<>>", rows))


def _escalations(view: View) -> Section | None:
    rows, rare = escalation_rows(view)
    head = ("gate or step", "share", "range", "", "role", "what the person reads")
    found = table(escalation_head(view), head, "<>><<<", rows)
    if found is None and not rare:
        return None
    return Section(escalation_head(view), table=found, said=(rare,) if rare else ())


def _costs(view: View) -> Section | None:
    if is_free(view):
        return Section("Cost", said=(NOTHING,))
    rows = table("Cost", ("run", "dollars", "note"), "<><", cost_rows(view))
    said = dearest_path(view)
    return None if rows is None else Section("Cost", table=rows, said=(said,) if said else ())


def _times(view: View) -> Section | None:
    rows = time_rows(view)
    if not rows:
        return None
    head = ["clock", *(as_cell(part).text for part in rows[0][1:])]
    found = table("Time", head, "<>>>>>", rows[1:])
    said = most_time(view)
    return Section("Time", table=found, said=(said,) if said else ())


def _undeclared(view: View) -> Section | None:
    if not view.analysis.unknown:
        return None
    rows = [[one.where, one.line, one.why] for one in missing(view)]
    head = ("where", "line", "what it says")
    title = "Declare these, and the numbers follow"
    return Section(title, table=table(title, head, "<<<", rows), said=(NOTE,))


def _curves(view: View) -> Section | None:
    found = tuple(curves(view))
    note = "on the diagonal, answers are right exactly as often as they say"
    return Section("How far confidences can be believed", note, pictures=found) if found else None


def _basis(view: View) -> Section | None:
    rows = [[one.name, one.figure, one.known, one.place] for one in inputs(view)]
    title = "Where each number comes from"
    found = table(title, ("number", "figure", "known", "where"), "<><<", rows)
    parts = tuple(basis_parts(view))
    return Section(title, table=found, terms=parts, folded=True) if found or parts else None


def review_section(checked: Sequence[Checked]) -> Section | None:
    """The load of the people behind the pipelines of some files; None where nobody is asked."""
    loads = review_loads(checked)
    if not loads:
        return None
    rows = review_rows(loads)
    title, said = "Review load", tuple(review_remarks(loads))
    if not rows:
        return Section(title, said=said)
    head = ("role", "cases a day", "people", "a case takes", "busy", "range", "95% wait under")
    return Section(title, table=table(title, head, "<>>>>>>", rows[1:]), said=said)
