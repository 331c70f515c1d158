"""The head of a pipeline's report, on a screen as in full: its name and place, and what kind of
report it gets.
"""

from __future__ import annotations

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.diagnostics.columns import cells_of, one_line, wrap
from pipelang.interfaces.check.check import Checked
from pipelang.interfaces.check.tier_notes import tier_notes
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.colours import painter
from pipelang.semantics.metrics import SUCCESS


def view_of(
    checked: Checked,
    analysis: Analysis,
    width: int,
    colour: bool,
    *,
    verbose: bool = False,
    legend: bool = False,
) -> View:
    """A pipeline of a checked file as the sections of a report take it."""
    assert checked.program is not None
    found = checked.advice.get(analysis.pipeline.name)
    proofs, paint = checked.proofs, painter(colour)
    return View(
        checked.program, analysis, checked.sources, width, paint, verbose, legend, proofs, found
    )


def has_table(analysis: Analysis) -> bool:
    """Whether the table of steps has something to say: nobody knows a step on its own whose figures
    are not declared, even where what becomes of the runs does not hang on it.
    """
    known = not analysis.steps or any(row.own is not None for row in analysis.steps)
    return known and analysis.numbers[SUCCESS].value is not None


def title(view: View) -> str:
    """The name of a pipeline, and where it stands."""
    span = view.pipeline.span
    source = view.sources.get(span.file)
    file = one_line(span.file)
    place = file if source is None else f"{file}:{source.position(span.start).line}"
    name = view.pipeline.name
    gap = view.width - cells_of(name) - cells_of(place)
    if gap < 2:
        head = view.paint(name, "title") + "\n" + view.paint(f"  {place}", "dim")
    else:
        head = view.paint(name, "title") + " " * gap + view.paint(place, "dim")
    notes = tier_notes(view.program, view.pipeline)
    said = [line for words in notes for line in wrap(words, view.width, 2)]
    if any(tier.stands_in for tier in view.program.tiers.values()):
        words = "figures that were declared for the steps are taken as they are"
        said += wrap(words, view.width, 2)
    return "\n".join([head, *(view.paint(line, "unsure") for line in said)])
