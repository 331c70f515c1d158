"""A pipeline as text in full: a sentence, then tables. `summary` is what fits on a screen.

The order is that of a reader's questions: what will happen, where does it come from, does it hold
what we promise, what does it cost, and how much of all that is known.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.check.check import Checked
from pipelang.interfaces.report.heading import has_table, title, view_of
from pipelang.interfaces.report.sections.advice import advice
from pipelang.interfaces.report.sections.basis import basis
from pipelang.interfaces.report.sections.claims import claims
from pipelang.interfaces.report.sections.costs import costs
from pipelang.interfaces.report.sections.inputs import input_lines
from pipelang.interfaces.report.sections.outcomes import escalations, outcomes
from pipelang.interfaces.report.sections.promises import promises
from pipelang.interfaces.report.sections.sentence import sentence
from pipelang.interfaces.report.sections.steps import steps
from pipelang.interfaces.report.sections.structure import structure
from pipelang.interfaces.report.sections.times import times
from pipelang.interfaces.report.sections.undeclared import undeclared
from pipelang.interfaces.report.sections.what_if import conjecture
from pipelang.interfaces.report.sections.work import work
from pipelang.interfaces.report.view import View, says_something
from pipelang.semantics.metrics import SUCCESS


def pipeline_text(
    checked: Checked,
    analysis: Analysis,
    width: int,
    colour: bool,
    legend: bool,
) -> list[str]:
    """The report on one pipeline, as lines; `legend` asks for the words that explain its table."""
    view = view_of(checked, analysis, width, colour, verbose=True, legend=legend)
    lines = [title(view), view.paint("─" * width, "dim"), *wrap(sentence(view), width)]
    order: tuple[Callable[[View], list[str]], ...]
    if has_table(analysis):
        first = (outcomes, steps, escalations, promises, advice, claims)
        order = (*first, costs, times, basis)
    elif says_something(view.number(SUCCESS)):
        order = (
            outcomes,
            structure,
            escalations,
            promises,
            claims,
            costs,
            times,
            conjecture,
            undeclared,
            basis,
        )
    else:
        without = (structure, costs, times, conjecture, undeclared)
        order = (*without, outcomes, promises, claims, basis)
    for section in (*order, work, input_lines):
        body = section(view)
        if body:
            lines += ["", *body]
    return lines
