"""What a change does, as text for a terminal and as Markdown for a pull request."""

from __future__ import annotations

from pipelang.analysis.numbers import Number
from pipelang.diagnostics import Diagnostic
from pipelang.interfaces.differences import Change, Difference, Differences
from pipelang.interfaces.report.paint import Paint
from pipelang.interfaces.report.table import Cell, Row, lay_out
from pipelang.interfaces.report.words import interval, of_metric, percent, plural, value

_JUDGED = {True: "better", False: "worse", None: ""}
_STYLES = {True: "good", False: "bad", None: ""}


def differences_text(found: Differences, paint: Paint, width: int) -> str:
    """A table a pipeline; only what differs is in it."""
    lines: list[str] = []
    for one in found.pipelines:
        lines += [paint(one.name, "title") + f"  {_status(one, found.against)}"]
        if one.status == "changed":
            rows: list[Row] = [
                [
                    change.metric,
                    _shown(change.before, change.metric),
                    "→",
                    _shown(change.after, change.metric),
                    _delta(change),
                    Cell(_JUDGED[change.better], _STYLES[change.better]),
                ]
                for change in one.changes
            ]
            lines += lay_out(rows, "<><<><", paint, width=width, whole=True)
        lines.append("")
    for heading, findings in (("New findings", found.new), ("Findings gone", found.gone)):
        if findings:
            lines += [paint(heading, "heading"), *(f"  {_finding(one)}" for one in findings), ""]
    if not lines:
        lines = ["no pipeline in either version", ""]
    return "\n".join(lines)


def differences_markdown(found: Differences) -> str:
    """The same as a comment for a pull request."""
    lines = ["### pipelang: what this change does", ""]
    for one in found.pipelines:
        lines += [f"**`{one.name}`** {_status(one, found.against)}", ""]
        if one.status == "changed":
            lines += ["| metric | before | after | change | |", "|---|--:|--:|--:|---|"]
            for change in one.changes:
                parts = [
                    f"`{change.metric}`",
                    _shown(change.before, change.metric),
                    _shown(change.after, change.metric),
                    _delta(change),
                    _JUDGED[change.better],
                ]
                lines.append(f"| {' | '.join(parts)} |")
            lines.append("")
    for heading, findings in (("New findings", found.new), ("Findings gone", found.gone)):
        if findings:
            lines += [f"**{heading}**", "", *(f"- {_finding(one)}" for one in findings), ""]
    return "\n".join(lines)


def _status(one: Difference, against: str) -> str:
    match one.status:
        case "same":
            return f"no figure differs from `{against}`"
        case "changed":
            count = len(one.changes)
            return f"{plural(count, 'figure differs', 'figures differ')} from `{against}`"
        case "added":
            return f"is not in `{against}`"
        case _:
            return f"is only in `{against}`"


def _shown(number: Number | None, metric: str) -> str:
    if number is None:
        return "–"
    show = of_metric(metric)
    around = interval(number, show)
    text = value(number, show)
    if text == "?" and number.low:
        text = f"from {show(number.low)}"
    return f"{text} ({around})" if around else text


def _delta(change: Change) -> str:
    delta = change.delta[0]
    if delta is None:
        return ""
    sign, size = "+" if delta > 0 else "−", abs(delta)
    show = of_metric(change.metric)
    if show is percent:
        return f"{sign}{percent(size)[:-1]} points"
    before = None if change.before is None else change.before.value
    part = f" ({sign}{percent(size / before)})" if before else ""
    return f"{sign}{show(size)}{part}"


def _finding(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.severity.value}[{diagnostic.rule.code}]: {diagnostic.message}"
