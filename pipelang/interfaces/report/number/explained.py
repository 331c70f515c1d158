"""One number taken apart, so that a reader with a pocket calculator comes to it too.

The figures in a column are rounded together: each change is the difference of the two totals
around it, so that what is printed adds up as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.metrics.derivation import (
    Contribution,
    Derivation,
    derive,
    done_wrongly,
    figure,
)
from pipelang.analysis.metrics.loss_waterfall import Flow
from pipelang.analysis.metrics.loss_waterfall import WaterfallRow as Passed
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.number.amounts import amounts, in_dollars
from pipelang.interfaces.report.sections.inputs import input_lines
from pipelang.interfaces.report.sections.undeclared import undeclared
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import (
    interval,
    listed,
    of_metric,
    percent,
    value,
)
from pipelang.interfaces.text.table import Cell, Row, labelled, lay_out
from pipelang.semantics import program as p
from pipelang.semantics.quantities import show_seconds

_MEANING = {
    "success": "Begin with all runs, and take off at each item those that are right no longer.",
    "silent_error": "Begin with none; add at each item what goes wrong, take off what is caught.",
    "escalation": "Add up the runs that each item sends to a person.",
    "rejection": "Add up the runs that each item rejects.",
    "failure": "Add up the runs that fail at each item.",
    "coverage": "Begin with all runs, and take off at each item those that end without an answer.",
    "availability": "Begin with all runs, and take off at each item those that fail.",
    "wrong_effect": "Add up the runs in which an item does something with a wrong value.",
    "selective_risk": "The wrong answers (first column), divided by all answers.",
    "cost.mean": "What each call costs, times how many there are in a mean run.",
    "cost.month": "What each call costs, times how many there are in a mean run; then the month.",
    "cost.worst": "Every prompt and answer at its longest, times every try on the dearest path.",
    "tokens.mean": "Tokens that a call reads and writes, times how many there are in a mean run.",
}


def explained(view: View, name: str) -> list[str]:
    """The derivation of a number of one pipeline, as lines."""
    number = figure(view.analysis, name)
    assert number is not None, name
    show = of_metric(name)
    found = derive(view.program, view.analysis, name)
    shown = value(number, show) if found is None else _exactly(found)
    said = f"{name} of {view.pipeline.name} = {shown}"
    lines = [view.paint(said, "title"), view.paint("─" * view.width, "dim")]
    around = interval(number, show)
    if around:
        why = f"95% interval {around}: how much the counts that went in leave open."
        lines += [view.paint(line, "dim") for line in wrap(why, view.width)]
    if found is not None:
        lines += ["", *_derived(view, found)]
    else:
        lines += wrap(_why_not(view, name), view.width)
        lines += _of_time(view, name)
        if number.value is None:
            lines += ["", *undeclared(view)]
    went_in = input_lines(view)
    return [*lines, *(["", *went_in] if went_in else [])]


def _exactly(found: Derivation) -> str:
    """A value with all the digits that the table below it has."""
    if found.name.startswith("cost."):
        return in_dollars(found.value)
    return f"{found.value:,.4f}" if found.name.startswith("tokens.") else _points(found.value)


def _derived(view: View, found: Derivation) -> list[str]:
    head = found.name.partition(".")[0]
    meaning = _MEANING.get(found.name) or _MEANING.get(head) or _MEANING["cost.mean"]
    lines = wrap(meaning, view.width)
    if head in ("cost", "tokens"):
        return [*lines, "", *amounts(view, found)]
    return [*lines, "", *_waterfall(view, found)]


# ---------------------------------------------------------------------------- probabilities


def _waterfall(view: View, found: Derivation) -> list[str]:
    """A row an item: what it does, the change, and what there is behind it. Where one goes down
    from all runs, the factor says the same as a product.
    """
    product = found.start == 1.0
    head = ("", "what happens there", "factor" if product else "", "change", "makes")
    rows: list[Row] = [[Cell(text, "dim") for text in head]]
    begin = "all runs" if product else "no run"
    rows.append([begin, "", "", "", _points(found.start)])
    total = found.start
    for part in found.parts:
        before, total = total, total + part.amount
        factor = f"× {total / before:.6f}" if product and before > 0 else ""
        change = round(total * 1e6) - round(before * 1e6)
        sign = "+" if change > 0 else "−" if change < 0 else ""
        rows.append(
            [
                _label(part),
                Cell("; ".join(_happens(part, found.name)), "dim"),
                factor,
                f"{sign}{abs(change) / 1e4:.4f}%",
                _points(total),
            ]
        )
    lines = lay_out(rows, "<<>>>", view.paint, width=400, whole=True)
    if any(len(line) > view.width for line in lines):
        lines = _narrow(view, rows)
    if found.over != 1.0:
        lines += [
            "",
            f"  {_points(total)} of the runs are answered wrong, {_points(found.over)} are",
        ]
        lines[-1] += " answered at all:"
        lines.append(f"  {total:.8f} / {found.over:.8f} = {_points(found.value)}")
    return lines


def _narrow(view: View, rows: list[Row]) -> list[str]:
    """The same with the words below their row."""
    slim = [[*row[:1], *row[2:]] for row in rows]
    lines: list[str] = []
    for line, row in zip(lay_out(slim, "<>>>", view.paint, width=view.width), rows, strict=True):
        lines.append(line)
        said = row[1].text if isinstance(row[1], Cell) else row[1]
        if said and row is not rows[0]:
            lines += [view.paint(text, "dim") for text in wrap(said, view.width, 6)]
    return lines


def _points(share: float) -> str:
    return f"{round(share * 1e6) / 1e4:.4f}%"


def _label(part: Contribution) -> str:
    return f"{part.label}, again" if part.row is not None and part.row.again else part.label


def _happens(part: Contribution, name: str) -> Iterator[str]:
    """The effect of an item on the runs that reach it, as far as the number depends on it."""
    row = part.row
    assert row is not None
    if isinstance(row.item, (p.When, p.MatchBranch)):
        yield f"{percent(row.wrong.on_right, 2)} of all runs have a fault that {_UNREAD}"
        return
    right, wrong = list(_of_right(row, name)), list(_of_wrong(row, name))
    if right:
        kind = "with nothing wrong done yet" if name == "wrong_effect" else "right"
        yield f"of the {percent(row.right.came, 2)} that come here {kind}, {listed(right)}"
    if wrong:
        yield f"of the {percent(row.wrong.came, 2)} that come here wrong, {listed(wrong)}"


_UNREAD = "nothing reads from here on, and count as right again"


def _of_right(row: Passed, name: str) -> Iterator[str]:
    flow = row.right
    if name == "wrong_effect":
        yield f"{_of(done_wrongly(row), flow)} do something with a wrong value"
        return
    if flow.on_wrong and name in ("success", "silent_error", "selective_risk"):
        yield f"{_of(flow.on_wrong, flow)} go wrong"
    if name not in ("silent_error", "selective_risk"):
        yield from _ends(flow, name)


def _of_wrong(row: Passed, name: str) -> Iterator[str]:
    flow = row.wrong
    if name == "wrong_effect":
        return
    if name != "success":
        yield from _ends(flow, "coverage" if name == "selective_risk" else name)
    if name in ("success", "silent_error", "selective_risk"):
        if flow.on_right:
            step = isinstance(row.item, p.Step)
            how = "are put right" if step else f"have a fault that {_UNREAD}"
            yield f"{_of(flow.on_right, flow)} {how}"
        if flow.ended.get("success"):
            yield f"{_of(flow.ended['success'], flow)} return what is right"


def _ends(flow: Flow, name: str) -> Iterator[str]:
    """Runs that end without an answer, only those that the number counts."""
    head = name.partition(".")[0]
    only = {"availability": "failure"}.get(head, head if head in _VERBS else "")
    for key, verb in _VERBS.items():
        share = flow.ended.get(name if name.startswith("escalation.") else key)
        if share and only in ("", key):
            yield f"{_of(share, flow)} {verb}"


_VERBS = {"escalation": "go to a person", "rejection": "are rejected", "failure": "fail"}


def _of(share: float, flow: Flow) -> str:
    return percent(share / flow.came, 2)


# ------------------------------------------------------------------------- what is no sum


def _why_not(view: View, name: str) -> str:
    """Why a number is no sum of parts."""
    _, _, read = name.partition(".")
    number = figure(view.analysis, name)
    if number is None or number.value is None:
        if view.analysis.unknown:
            return "It is a range as long as something that it hangs on is not declared."
        return "It is a range, or open: rare cases were left out, or nothing bounds it."
    if view.analysis.unknown:
        return "It is certain whatever is undeclared, but its parts are not."
    shown = value(number, of_metric(name))
    if read in ("p50", "p95", "p99"):
        return (
            f"A quantile is no sum: the distribution of all runs is worked out, and {read[1:]} of "
            f"100 runs stay under {shown}."
        )
    if read == "worst":
        return "The longest way through: every attempt to its limit, with every wait between them."
    return f"It is the mean of the distribution of all runs: {shown}."


def _of_time(view: View, name: str) -> list[str]:
    """The steps that most of a time is spent in, with their declared figures."""
    head = name.partition(".")[0]
    path = view.analysis.critical.get(head, ())
    if not path:
        return []
    tiers = {
        tier.name: tier.latency for tier in view.program.tiers.values() if tier.latency is not None
    }
    said = [f"Most of it is spent in {listed([f'`{step}`' for step in path])}."]
    parts = [
        (name, f"median {show_seconds(float(spread.median))}, 95% under {_p95(spread.p95)}")
        for name, spread in tiers.items()
    ]
    lines = wrap(said[0], view.width)
    if parts:
        note = "Calls take as long as is declared of their tier (lognormal), at most the timeout:"
        lines += ["", *wrap(note, view.width), *labelled(parts, view.paint, width=view.width)]
    return lines


def _p95(seconds: object) -> str:
    return "?" if seconds is None else show_seconds(float(str(seconds)))
