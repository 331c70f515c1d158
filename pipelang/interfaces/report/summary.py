"""A pipeline on one screen: what somebody asks first who has changed it.

What becomes of a run, which steps that comes from, whether promises hold, what to mend first; then
one line each for people, claims, cost, time and grounds. `--verbose` shows the sections in full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.check.check import Checked
from pipelang.interfaces.report.heading import has_table, title, view_of
from pipelang.interfaces.report.sections.advice import advice
from pipelang.interfaces.report.sections.costs import BOUND, CACHED, cost_rows, is_free
from pipelang.interfaces.report.sections.outcomes import (
    brief_remarks,
    escalation_ways,
    is_open,
    outcome_note,
    outcome_rows,
    ways_to_people,
)
from pipelang.interfaces.report.sections.promises import promise_rows
from pipelang.interfaces.report.sections.sentence import sentence
from pipelang.interfaces.report.sections.steps import compounding, heaviest, step_rows
from pipelang.interfaces.report.sections.times import cut_after, time_rows
from pipelang.interfaces.report.sections.work import work_words
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed, percent, plural, value
from pipelang.interfaces.text.table import Cell, Row, labelled, lay_out
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import LATENCY, P95, SUCCESS, TURNAROUND, WORST
from pipelang.semantics.quantities import show_seconds

MOST_STEPS = 5
MOST_PROMISES = 5
MOST_WAYS = 4
ANYTHING = "0–100%"
MOST_LINES = 12
"""Lines to paste; whoever has so many to declare starts with these."""

MORE = "--verbose shows every step, case, claim, cost and time, and what each figure rests on"


def summary_text(checked: Checked, analysis: Analysis, width: int, colour: bool) -> list[str]:
    """The report on one pipeline, as lines."""
    view = view_of(checked, analysis, width, colour)
    lines = [title(view), view.paint("─" * width, "dim"), *wrap(sentence(view), width)]
    order: tuple[Callable[[View], list[str]], ...]
    if has_table(analysis):
        order = (_outcomes, _steps, _promises, _advice, _facts)
    else:
        order = (_outcomes, _promises, _conjecture, _undeclared, _facts)
    for section in order:
        body = section(view)
        if body:
            lines += ["", *body]
    return lines


def _outcomes(view: View) -> list[str]:
    if is_open(view):
        return []
    rows = outcome_rows(view)
    if len(rows) < 2 and view.value(SUCCESS) is not None:
        return []  # the sentence above has said it
    lines = lay_out(rows, "<>><", view.paint, width=view.width)
    said = (line for words in brief_remarks(view) for line in wrap(words, view.width, 2))
    lines += [view.paint(line, "dim") for line in said]
    return [view.heading("What becomes of a run", outcome_note(view)), *lines]


def _steps(view: View) -> list[str]:
    """The steps that matter most, whether they are the pipeline's or of one that it runs."""
    rows, inner = view.analysis.steps, view.analysis.inner
    if not rows:
        return []
    most = heaviest((*rows, *inner), MOST_STEPS)
    own = {at for at in most if at < len(rows)} or {*heaviest(rows, 1)}
    within = [at - len(rows) for at in most if at >= len(rows)]
    lines = lay_out(step_rows(view, own, within), "<>>>>><", view.paint, width=view.width)
    left = len(rows) + len(inner) - len(own) - len(within)
    if left:
        matter = "matters" if left == 1 else "matter"
        lines.append(view.paint(f"  {plural(left, 'more step')} {matter} less", "dim"))
    said, _ = compounding(view, brief=True)
    return [view.heading("Steps"), *lines, *wrap(said, view.width, 2)]


def _promises(view: View) -> list[str]:
    """Those that are missed or open, then those that are met, as far as there is room."""
    if not view.analysis.slo:
        return []
    rank = {False: 0, None: 1, True: 2}
    verdicts = view.analysis.slo
    order = sorted(range(len(verdicts)), key=lambda at: rank[verdicts[at].holds])
    # Nothing that is not met is left out.
    open_ones = sum(verdict.holds is not True for verdict in verdicts)
    shown = sorted(order[: max(MOST_PROMISES, open_ones)])
    rows = promise_rows(view)
    lines = lay_out([rows[at] for at in shown], "<<<>><", view.paint, width=view.width, whole=True)
    if len(shown) < len(rows):
        lines.append(view.paint(f"  {len(rows) - len(shown):,} more are met", "dim"))
    return [view.heading("Promises (slo)"), *lines]


def _advice(view: View) -> list[str]:
    return advice(view, legend=False)


def _conjecture(view: View) -> list[str]:
    from pipelang.interfaces.report.sections.what_if import conjecture

    return conjecture(view)


def _undeclared(view: View) -> list[str]:
    from pipelang.interfaces.report.sections.undeclared import undeclared

    return undeclared(view, MOST_LINES)


def _facts(view: View) -> list[str]:
    facts = [
        (label, said)
        for label, said in (
            ("people", _people(view)),
            ("claims", _claims(view)),
            ("cost", _cost(view)),
            ("time", _time(view)),
            ("grounds", _grounds(view)),
            ("work", "; ".join(work_words(view))),
        )
        if said
    ]
    return labelled(facts, view.paint, width=view.width, label="heading")


def _people(view: View) -> str:
    found = escalation_ways(view)
    if not found:
        return ""
    roles = sorted({role for role, _ in ways_to_people(view.pipeline.block).values()})
    whom = f"to {listed([f'`{role}`' for role in roles])}: " if roles else ""
    shares = ((name, value(number, percent)) for name, number in found[:MOST_WAYS])
    ways = [f"`{name}`" if share == ANYTHING else f"`{name}` {share}" for name, share in shares]
    more = len(found) - len(ways)
    return whom + listed([*ways, *([f"{more:,} more"] if more else [])])


def _claims(view: View) -> str:
    mine = [one for one in view.proofs if one.claim.pipeline == view.pipeline.name]
    often = Counter(one.verdict for one in mine)
    words = {"proved": "proved", "refuted": "refuted", "undecided": "not decided"}
    told = [f"{often[verdict]:,} {said}" for verdict, said in words.items() if often[verdict]]
    steps = dict.fromkeys(f"`{step}`" for one in mine for step in one.claimed_by)
    believing = sum(bool(one.claimed_by) for one in mine)
    believed = f", {believing:,} of them as claimed by {listed([*steps])}" if steps else ""
    return listed(told) + believed


def _cost(view: View) -> str:
    if is_free(view):
        return "nothing"
    said = []
    for row in cost_rows(view, compared=False):
        name, shown, note = _texts(row)
        if name == CACHED:
            said.append(f"{shown} with prompts cached (estimate)")
        elif name in ("mean run", "95% of runs under", "dearest run") or name.startswith("a month"):
            told = name == "dearest run" or (name == "mean run" and note == BOUND)
            beside = f" ({note})" if told and note else ""
            said.append(f"{name} {shown}{beside}")
    return ", ".join(said)


def _texts(row: Row) -> list[str]:
    return [cell.text if isinstance(cell, Cell) else cell for cell in row]


def _time(view: View) -> str:
    """Machine time and time with people: 95% under, and at most."""
    parts = []
    for row, metric in zip(time_rows(view)[1:], (LATENCY, TURNAROUND), strict=False):
        name, worst = _texts(row)[0], _texts(row)[-1]
        quick, most = view.number(f"{metric}.{P95}"), view.number(f"{metric}.{WORST}")
        known = []
        if quick.value is not None:
            known.append(f"95% under {show_seconds(quick.value)}")
        elif quick.high is not None:
            bound = quick.high if most.high is None else min(quick.high, most.high)
            known.append(f"95% under {show_seconds(bound)} at most")
        elif quick.low:
            known.append(f"1 in 20 takes {show_seconds(quick.low)} or more")
        if most.high is not None and worst != "?":
            known.append(f"at most {worst}")
        limit = cut_after(view) if metric == LATENCY else ""
        if known and limit:
            known[-1] += f" (the budget ends runs at {limit})"
        if known:
            parts.append(f"{name}: {', '.join(known)}")
    return "; ".join(parts)


def _grounds(view: View) -> str:
    """Shares of the figures that are counted, assumed, and not declared at all."""
    return listed(list(_ground_parts(view)))


def _ground_parts(view: View) -> Iterator[str]:
    analysis = view.analysis
    assumed = sum(kind is Basis.ASSUMED for kind in analysis.bases.values())
    if analysis.counts:
        yield plural(len(analysis.counts), "figure") + " counted"
    if assumed:
        yield plural(assumed, "figure") + " assumed that nobody has measured"
    if analysis.unknown:
        yield plural(analysis.undeclared, "figure") + " that nobody declared"
