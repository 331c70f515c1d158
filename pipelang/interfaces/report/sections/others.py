"""The other pipelines of a file, a row each, beside the one that is told on a screen."""

from __future__ import annotations

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.check.check import Checked
from pipelang.interfaces.check.tier_notes import tier_notes
from pipelang.interfaces.report.metric_words import WORDS
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.number_format import DUST, money, percent, plural, value
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.metrics import COST_MEAN, LATENCY, OUTCOMES
from pipelang.semantics.quantities import show_seconds

SECTION = "Other pipelines of this file"


def leading(checked: Checked) -> Analysis:
    """The pipeline that a file is about: one that no other runs, with the most steps in all."""
    assert checked.program is not None
    pipelines = checked.program.pipelines.values()
    inside = {name for one in pipelines for name in sub_pipelines(one.block) if name != one.name}
    roots = [one for one in checked.analyses if one.pipeline.name not in inside]
    return max(roots or checked.analyses, key=lambda one: len(one.steps) + len(one.inner))


def others(checked: Checked, first: Analysis, width: int, paint: Paint) -> list[str]:
    """A head, and a row for every pipeline of a file but the first; none if there is none."""
    rest = [one for one in checked.analyses if one is not first]
    if not rest:
        return []
    there = [name for name in OUTCOMES if any(_happens(one, name) for one in rest)]
    head = [*(WORDS[name].column for name in there), "mean cost", "95% under", "promises", "open"]
    rows: list[Row] = [[Cell("", "dim"), *(Cell(text, "dim") for text in head)]]
    rows += [_row(one, there) for one in rest]
    for at in (-1, -2):
        if not any(cell.text for row in rows[1:] if isinstance(cell := row[at], Cell)):
            rows[0] = [*rows[0][:at], Cell(""), *rows[0][len(rows[0]) + at + 1 :]]
    align = "<" + ">" * (len(head) - 2) + "<<"
    table = lay_out(rows, align, paint, width=width, whole=True)
    said = [paint(line, "unsure") for line in _notes(checked, first, rest, width)]
    return [paint(SECTION, "heading"), *table, *said]


def _notes(checked: Checked, first: Analysis, rest: list[Analysis], width: int) -> list[str]:
    """The notes on the tiers of the other pipelines, each once."""
    assert checked.program is not None
    told = dict.fromkeys(tier_notes(checked.program, first.pipeline))
    lines = []
    for one in rest:
        for words in tier_notes(checked.program, one.pipeline):
            if words not in told:
                told[words] = None
                lines += wrap(f"{one.pipeline.name}: {words}", width, 2)
    return lines


def _happens(one: Analysis, outcome: str) -> bool:
    high = one.numbers[outcome].high
    return high is None or high > DUST


def _row(one: Analysis, outcomes: list[str]) -> Row:
    shares = [
        value(one.numbers[name], percent) if _happens(one, name) else "–" for name in outcomes
    ]
    cost, time = one.numbers[COST_MEAN], one.numbers[f"{LATENCY}.p95"]
    free = cost.high == 0
    quick = time.high == 0
    return [
        one.pipeline.name,
        *shares,
        "–" if free else value(cost, money),
        "–" if quick else value(time, show_seconds),
        _verdicts(one),
        Cell(plural(one.undeclared, "figure") if one.unknown else "", "unsure"),
    ]


def _verdicts(one: Analysis) -> Cell:
    """The numbers of promises that are missed, open and met."""
    often = {
        word: sum(verdict.holds is holds for verdict in one.slo)
        for word, holds in (("missed", False), ("open", None), ("met", True))
    }
    said = [f"{number:,} {word}" for word, number in often.items() if number]
    style = "bad" if often["missed"] else "unsure" if often["open"] else "dim"
    return Cell(", ".join(said), style)
