"""The numbers of a checked file as an editor shows them: a lens for each pipeline, a hint for each
step and gate, advice as edits.

All is plain values, keyed by the names of pipelines and of their parts and not by places: a text
goes on changing while it is analysed.
"""

from __future__ import annotations

from typing import Any

from pipelang.analysis.advice.advise import Advice
from pipelang.analysis.metrics.analyse import Analysis
from pipelang.diagnostics.columns import harmless
from pipelang.interfaces.check.check import Checked
from pipelang.interfaces.language_server.analysis.plain_findings import plain_edits, plain_finding
from pipelang.interfaces.report.heading import view_of
from pipelang.interfaces.report.sections.advice import said
from pipelang.interfaces.report.sections.sentence import sentence
from pipelang.interfaces.report.summary import summary_text
from pipelang.interfaces.text.number_format import (
    exact_percent,
    interval,
    money,
    of_metric,
    percent,
    plural,
    value,
)
from pipelang.semantics import program as p
from pipelang.semantics.metrics import (
    COST_MEAN,
    LATENCY_P95,
    SILENT_ERROR,
    SUCCESS,
)
from pipelang.semantics.quantities import show_seconds
from pipelang.semantics.walk import all_items

WIDTH = 88
MOST_GATES = 500
"""Items of a pipeline; in one with more nobody is told what each gate lets through."""
MOST_ADVISED = 5_000
"""Lines of a file; for a longer one advice takes too long to be ready while somebody looks."""

Numbers = dict[str, Any]
"""`pipelines` by name: `lens`, `sentence`, `report` (lines), `items` by name (`hint`, `tooltip`);
`findings`; `texts` of the files that spans speak of.
"""


def numbers_of(checked: Checked) -> Numbers:
    """The numbers of a file, without advice."""
    files = {span.file for found in checked.diagnostics if (span := found.span) is not None}
    files |= {edit.span.file for found in checked.diagnostics for edit in found.edits}
    return {
        "pipelines": {one.pipeline.name: _pipeline(checked, one) for one in checked.analyses},
        "findings": [plain_finding(found) for found in checked.diagnostics],
        "texts": {
            name: source.text
            for name, source in checked.sources.items()
            if name in files or name == checked.path
        },
    }


def advice_of(checked: Checked) -> dict[str, list[dict[str, Any]]]:
    """Advice by the name of its pipeline, of a file that was advised."""
    return {
        name: [
            {
                "title": f"{one.change.words}: {_moves(one)}",
                "edits": plain_edits(one.change.edits),
                "reaches": one.reaches,
                "step": one.change.step,
            }
            for one in advice.changes
        ]
        for name, advice in checked.advice.items()
    }


def _moves(one: Advice) -> str:
    return f"{one.metric} {said(one.metric, one.before, one.after)}"


def _pipeline(checked: Checked, analysis: Analysis) -> dict[str, Any]:
    view = view_of(checked, analysis, WIDTH, colour=False)
    short = is_advised(checked)
    return {
        "lens": lens(analysis) + ("" if short else f" · no advice: over {MOST_ADVISED:,} lines"),
        "sentence": sentence(view),
        "report": [harmless(line) for line in summary_text(checked, analysis, WIDTH, False)],
        "items": _items(checked, analysis),
    }


def is_advised(checked: Checked) -> bool:
    """Whether a file is short enough for advice."""
    source = checked.sources.get(checked.path)
    return source is not None and source.text.count("\n") <= MOST_ADVISED


def lens(analysis: Analysis) -> str:
    """`answered right 42.1% (38.0–45.3%) · wrong unnoticed 2.4% · $0.0048 · 8.3s p95`"""
    numbers = analysis.numbers
    right = numbers[SUCCESS]
    shown = f"answered right {value(right, percent)}"
    around = interval(right, percent)
    parts = [f"{shown} ({around})" if around else shown]
    parts.append(f"wrong unnoticed {value(numbers[SILENT_ERROR], percent)}")
    parts.append(value(numbers[COST_MEAN], money).replace("?", "cost unknown"))
    parts.append(f"{value(numbers[LATENCY_P95], show_seconds)} p95")
    missed = sum(one.holds is False for one in analysis.slo)
    undecided = sum(one.holds is None for one in analysis.slo)
    if missed:
        parts.append(f"{plural(missed, 'promise')} missed")
    if undecided:
        parts.append(f"{plural(undecided, 'promise')} undecided")
    if analysis.unknown:
        parts.append(f"{plural(analysis.undeclared, 'figure')} not declared")
    return " · ".join(parts)


def _items(checked: Checked, analysis: Analysis) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in analysis.steps:
        alone = "?" if row.own is None else exact_percent(row.own)
        cost = "cost ?" if row.cost_mean.value is None else money(row.cost_mean.value)
        hint = f"alone {alone} · reached {value(row.reached, percent)} · {cost}"
        weight = row.importance_success.value
        tips = [
            f"answers, and is right, in {alone} of the cases if all that it reads is right",
            f"{value(row.reached, percent)} of the runs get here",
            f"adds {cost} to the mean cost of a run",
        ]
        if weight is not None:
            tips.append(
                "if it erred in one case of 100 less, "
                f"{weight:.2f} of 100 runs more would be answered right"
            )
        found[row.name] = {"hint": hint, "tooltip": "; ".join(tips)}
    found |= _gates(checked, analysis)
    return found


def _gates(checked: Checked, analysis: Analysis) -> dict[str, dict[str, str]]:
    """Of gates, approvals and holds: what they stop, and what passes them although it is wrong."""
    program, pipeline = checked.program, analysis.pipeline
    assert program is not None
    items = list(all_items(pipeline.block))
    gates = [item for item in items if isinstance(item, (p.Gate, p.Person))]
    shares = of_metric(SUCCESS)
    found = {
        item.name: {"hint": f"to people {value(analysis.escalations[item.name], shares)}"}
        for item in gates
        if item.name in analysis.escalations
    }
    whole = analysis.numbers[SUCCESS].value is not None and analysis.cut is None
    if gates and whole and not analysis.unknown and len(items) <= MOST_GATES:
        from pipelang.analysis.metrics.derivation import recorded
        from pipelang.analysis.metrics.loss_waterfall import waterfall

        rows, _ = waterfall(recorded(program, pipeline)[0])
        for (_, again), row in rows.rows.items():
            if again or not isinstance(row.item, (p.Gate, p.Person)):
                continue
            came = row.right.came + row.wrong.came
            ended = row.right.lost + row.wrong.lost
            back = row.right.back + row.wrong.back
            hint = f"stops {percent(ended)} · lets through wrong {percent(row.wrong.on_wrong)}"
            tip = (
                f"of {percent(came)} of the runs that come here, {percent(row.wrong.came)} are "
                f"wrong already; it stops {percent(row.right.lost)} right and "
                f"{percent(row.wrong.lost)} wrong ones, and lets "
                f"{percent(row.wrong.on_wrong)} through that are wrong"
            )
            if back > 0:  # editors cut long hints off, so this is said in the tooltip alone
                tip += f"; {percent(back)} are sent back"
            found[row.item.name] = {"hint": hint, "tooltip": tip}
    elif len(items) > MOST_GATES:
        tip = f"not worked out: over {MOST_GATES} parts"
        found = {
            gate.name: {"hint": tip, **found.get(gate.name, {}), "tooltip": tip} for gate in gates
        }
    return {name: {"tooltip": one["hint"], **one} for name, one in found.items()}
