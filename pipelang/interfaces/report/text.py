"""A checked file as text: for each pipeline a sentence, then tables; then what was found.

The order is that of a reader's questions: what will happen, where does it come from, does it hold
what we promise, what does it cost, and how much of all that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pipelang.analysis.analyse import Analysis
from pipelang.diagnostics import Diagnostic, Severity, Sources
from pipelang.diagnostics.columns import wrap
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.checking import Checked
from pipelang.interfaces.report.basis import basis
from pipelang.interfaces.report.costs import costs
from pipelang.interfaces.report.outcomes import escalations, outcomes
from pipelang.interfaces.report.paint import painter
from pipelang.interfaces.report.promises import promises
from pipelang.interfaces.report.sentence import sentence
from pipelang.interfaces.report.steps import steps
from pipelang.interfaces.report.structure import structure
from pipelang.interfaces.report.undeclared import undeclared
from pipelang.interfaces.report.view import View, says_something
from pipelang.interfaces.report.words import listed, plural

WIDTH = 100


def report_text(
    checked: Sequence[Checked],
    extra: Sequence[Diagnostic] = (),
    *,
    width: int = WIDTH,
    colour: bool = False,
    verbose: bool = False,
) -> str:
    """The whole text report over some files; `extra` are findings that belong to no file."""
    legend, told = True, dict[Diagnostic, None]()
    blocks: list[str] = []
    for one in checked:
        for analysis in one.analyses:
            lines = pipeline_text(one, analysis, width, colour, verbose, legend)
            legend = legend and not _has_table(analysis)
            blocks.append("\n".join(lines))
        new = [diagnostic for diagnostic in one.diagnostics if diagnostic not in told]
        told.update(dict.fromkeys(new))
        blocks += diagnostics_text(new, one.sources, colour, one.program is not None, width)
        if one.program is not None and not one.analyses:
            blocks.append(f"{one.path}: no pipeline in it, so there is nothing to work out")
    blocks += diagnostics_text(extra, {}, colour, True, width)
    everything = [*told, *extra]
    closing = closing_line(everything, len(checked))
    style = "bad" if any(d.is_error for d in everything) else "unsure" if everything else "good"
    return "\n\n".join([*blocks, painter(colour)(closing, style)]) + "\n"


def pipeline_text(
    checked: Checked, analysis: Analysis, width: int, colour: bool, verbose: bool, legend: bool
) -> list[str]:
    """The report on one pipeline, as lines."""
    assert checked.program is not None
    sources, paint = checked.sources, painter(colour)
    view = View(checked.program, analysis, sources, width, paint, verbose, legend)
    lines = [_title(view), paint("─" * width, "dim"), *wrap(sentence(view), width)]
    order: tuple[Callable[[View], list[str]], ...]
    if _has_table(analysis):
        order = (outcomes, steps, escalations, promises, costs, basis)
    elif says_something(view.number("success")):
        order = (outcomes, structure, escalations, promises, costs, undeclared, basis)
    else:
        order = (structure, costs, undeclared, outcomes, promises, basis)
    for section in order:
        body = section(view)
        if body:
            lines += ["", *body]
    return lines


def _has_table(analysis: Analysis) -> bool:
    return analysis.numbers["success"].value is not None


def _title(view: View) -> str:
    span = view.pipeline.span
    source = view.sources.get(span.file)
    place = span.file if source is None else f"{span.file}:{source.position(span.start).line}"
    name = view.pipeline.name
    gap = max(2, view.width - len(name) - len(place))
    return view.paint(name, "title") + " " * gap + view.paint(place, "dim")


def diagnostics_text(
    found: Iterable[Diagnostic], sources: Sources, colour: bool, in_order: bool, width: int = WIDTH
) -> list[str]:
    """Each finding with its line of source; errors first where there is no program."""
    ranked = list(found)
    if not in_order:
        ranked.sort(key=lambda diagnostic: not diagnostic.is_error)
    return [as_text(one, sources, colour, width) for one in ranked]


def closing_line(found: Sequence[Diagnostic], files: int) -> str:
    """`2 errors, 1 warning in 3 files`"""
    where = f" in {plural(files, 'file')}" if files > 1 else ""
    counts = [
        (sum(d.severity is severity for d in found), severity.value)
        for severity in (Severity.ERROR, Severity.WARNING)
    ]
    said = listed([plural(number, word) for number, word in counts if number], "and")
    return f"{said or 'no errors, no warnings'}{where}"
