"""One number taken apart, so that a reader with a pocket calculator comes to it too.

The figures in a column are rounded together: each change is the difference of the two totals
around it, so that what is printed adds up as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelang.analysis.metrics.derivation import (
    Contribution,
    Derivation,
    derive,
    figure,
)
from pipelang.analysis.metrics.loss_waterfall import wrongly_done
from pipelang.analysis.metrics.readings import WaterfallSum, sum_of
from pipelang.analysis.metrics.waterfall_rows import Flow
from pipelang.analysis.metrics.waterfall_rows import WaterfallRow as Passed
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.metric_words import WORDS, words_of
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
from pipelang.interfaces.text.table import Cell, Row, by_row, labelled, lay_out
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import (
    COST_BASELINE,
    COST_MONTH,
    P50,
    P95,
    P99,
    SUCCESS,
    TOKENS_WORST,
    WORST,
    Unit,
    metric_of,
)
from pipelang.semantics.quantities import show_seconds


def explained(view: View, name: str) -> list[str]:
    """The derivation of a number of one pipeline, as lines."""
    number = figure(view.analysis, name)
    assert number is not None, name
    show = of_metric(name)
    found = derive(view.program, view.analysis, name)
    shown = value(number, show) if found is None else _exactly(found)
    said = f"{name} of {view.pipeline.name} = {shown}"
    if number.basis is Basis.BOUND and number.value and number.low == number.high:
        said += " (bound)"
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
    match metric_of(found.name).unit:
        case Unit.MONEY:
            return in_dollars(found.value)
        case Unit.TOKENS:
            return f"{found.value:,.4f}"
        case _:
            return _points(found.value)


def _derived(view: View, found: Derivation) -> list[str]:
    lines = wrap(words_of(found.name).derived, view.width)
    how = sum_of(found.name)
    if how is None:
        return [*lines, "", *amounts(view, found)]
    return [*lines, "", *_waterfall(view, found, how)]


# ---------------------------------------------------------------------------- probabilities


def _waterfall(view: View, found: Derivation, how: WaterfallSum) -> list[str]:
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
                Cell("; ".join(_happens(part, found.name, how)), "dim"),
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
    laid = by_row(slim, "<>>>", view.paint, width=view.width)
    for of_row, row in zip(laid, rows, strict=True):
        lines += of_row
        said = row[1].text if isinstance(row[1], Cell) else row[1]
        if said and row is not rows[0]:
            lines += [view.paint(text, "dim") for text in wrap(said, view.width, 6)]
    return lines


def _points(share: float) -> str:
    return f"{round(share * 1e6) / 1e4:.4f}%"


def _label(part: Contribution) -> str:
    return f"{part.label}, again" if part.row is not None and part.row.again else part.label


def _happens(part: Contribution, name: str, how: WaterfallSum) -> Iterator[str]:
    """The effect of an item on the runs that reach it, as far as the number depends on it."""
    row = part.row
    assert row is not None
    if isinstance(row.item, (p.When, p.MatchBranch)):
        yield f"{percent(row.wrong.on_right, 2)} of all runs have a fault that {_UNREAD}"
        return
    right, wrong = list(_of_right(row, name, how)), list(_of_wrong(row, name, how))
    if right:
        kind = "with nothing wrong done yet" if how.judge is wrongly_done else "right"
        yield f"of the {percent(row.right.came, 2)} that come here {kind}, {listed(right)}"
    if wrong:
        yield f"of the {percent(row.wrong.came, 2)} that come here wrong, {listed(wrong)}"


_UNREAD = "nothing reads from here on, and count as right again"


def _of_right(row: Passed, name: str, how: WaterfallSum) -> Iterator[str]:
    flow = row.right
    if how.judge is wrongly_done:
        yield f"{_of(how.change(row, name), flow)} do something with a wrong value"
        return
    if flow.on_wrong and how.turns:
        yield f"{_of(flow.on_wrong, flow)} go wrong"
    yield from _ends(flow, name, how.right_ends)


def _of_wrong(row: Passed, name: str, how: WaterfallSum) -> Iterator[str]:
    flow = row.wrong
    if how.judge is wrongly_done:
        return
    yield from _ends(flow, name, how.wrong_ends)
    if how.turns:
        if flow.on_right:
            step = isinstance(row.item, p.Step)
            turned = "are put right" if step else f"have a fault that {_UNREAD}"
            yield f"{_of(flow.on_right, flow)} {turned}"
        if flow.ended.get(SUCCESS):
            yield f"{_of(flow.ended[SUCCESS], flow)} return what is right"


def _ends(flow: Flow, name: str, ends: Sequence[str]) -> Iterator[str]:
    """Endings without an answer of runs of a kind, of the ways that change the number. One of a
    single gate or step (`escalation.sure`) counts the runs that this one ends.
    """
    for end in ends:
        share = flow.ended.get(name if metric_of(name).name == end else end)
        if share:
            yield f"{_of(share, flow)} {WORDS[end].verbs[1]}"


def _of(share: float, flow: Flow) -> str:
    return percent(share / flow.came, 2)


# ------------------------------------------------------------------------- what is no sum


def _why_not(view: View, name: str) -> str:
    """Reason why a number is no sum of parts."""
    _, _, read = name.partition(".")
    number = figure(view.analysis, name)
    if number is None or number.value is None:
        if name == COST_MONTH and view.pipeline.traffic.per_day is None:
            return "Nobody declared how many runs there are: `traffic 500/day { }` says it."
        if view.analysis.unpriced and metric_of(name).unit is Unit.MONEY:
            tiers = listed([f"`{tier}`" for tier in view.analysis.unpriced])
            return f"Nobody declared a price for {tiers}."
        if view.analysis.unknown:
            return "It is a range as long as something that it hangs on is not declared."
        if view.analysis.cut is not None:
            return "It is a range because what a run spends decides whether its budget cuts it."
        return "It is a range, or open: rare cases were left out, or nothing bounds it."
    if view.analysis.cut is not None and sum_of(name) is not None:
        return "It is certain whatever runs spend; a sum would be that of runs without cuts."
    if view.analysis.unknown:
        return "It is certain whatever is undeclared, but its parts are not."
    shown = value(number, of_metric(name))
    if name.startswith(COST_BASELINE):
        return f"The mean cost with every model call at that tier, prompts as they are: {shown}."
    if read in (P50, P95, P99):
        return (
            f"A quantile is no sum: the distribution of all runs is worked out, and {read[1:]} of "
            f"100 runs stay under {shown}."
        )
    if name == TOKENS_WORST:
        return "Every prompt and answer at its longest, on the path on which they come to most."
    if read == WORST:
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
