"""The tables: on the terminal, and in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from benchmarks.model import Measured, Outcome, Row, Spread, Verdict

HEAD = """# Benchmarks

Written by `make bench`; don't edit it. Every row samples its contenders in turn, in an order that
changes from round to round. A ratio is made of two samples of one round; below stand the medians of
these ratios, with the quartiles in brackets. Absolute times are this machine's, and drift; ratios
are what to compare. `benchmarks/` says how each contender does its work.
"""


def as_text(outcome: Outcome) -> str:
    """A row for the terminal."""
    row = outcome.row
    lines = [f"{row.key}: {row.title} ({outcome.rounds} rounds, × {row.base})"]
    cells = [_cells(row, measured) for measured in outcome.measured]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for name, amount, ratio, note in cells:
        shown = f"  {name:<{widths[0]}}  {amount:>{widths[1]}}  {ratio:<{widths[2]}}  {note}"
        lines.append(shown.rstrip())
    lines += [f"  {_met(v)}: {v.target.words}{_reached(row, v)}" for v in outcome.verdicts]
    return "\n".join(lines)


def as_markdown(outcomes: Sequence[Outcome], machine: dict[str, str], command: str) -> str:
    """The whole page."""
    parts = [HEAD, "## Targets\n", _table(("row", "target", "reached", ""), _targets(outcomes))]
    for outcome in outcomes:
        row = outcome.row
        parts.append(f"## {row.key}: {row.title}\n")
        head = ("", "median", f"× {row.base}", "")
        parts.append(_table(head, (_cells(row, measured) for measured in outcome.measured)))
        words = f"{outcome.rounds} rounds."
        parts.append(f"{words} {row.note}".strip() + "\n")
    parts.append("## Measured on\n")
    facts = {"command": f"`{command}`", "date": date.today().isoformat(), **machine}
    parts.append(_table(("", ""), facts.items()))
    return "\n".join(parts)


def _targets(outcomes: Iterable[Outcome]) -> Iterable[Sequence[str]]:
    for outcome in outcomes:
        for verdict in outcome.verdicts:
            words = f"{verdict.target.of}: {verdict.target.words}"
            yield outcome.row.key, words, _reached(outcome.row, verdict, ""), _met(verdict)


def _met(verdict: Verdict) -> str:
    return {True: "met", False: "**missed**", None: "not measured"}[verdict.met]


def _reached(row: Row, verdict: Verdict, before: str = "; ") -> str:
    if verdict.reached is None:
        return f"{before}given up on" if verdict.met is False else ""
    target = verdict.target
    if target.against is None:
        shown = _amount(row, verdict.reached)
    else:
        shown = f"{_number(verdict.reached)} ×"
    if verdict.met:
        return f"{before}{shown}"
    return f"{before}{shown}, {_number(verdict.reached / target.limit)} times too much"


def _cells(row: Row, measured: Measured) -> tuple[str, str, str, str]:
    name = f"**{measured.name}**" if measured.kind == "us" else measured.name
    if measured.amount is None:
        return name, "–", "–", measured.why
    note = measured.note
    if measured.processor is not None and measured.name != row.base:
        said = f"processor time {_spread(measured.processor)}"
        note = f"{said}; {note}" if note else said
    return name, _amount(row, measured.amount.median), _spread(measured.ratio), note


def _amount(row: Row, amount: float) -> str:
    return f"{_number(amount * row.scale)} {row.unit_words}"


def _spread(ratio: Spread | None) -> str:
    if ratio is None:
        return "–"
    return f"{_number(ratio.median)} ({_number(ratio.low)}–{_number(ratio.high)})"


def _number(value: float) -> str:
    """Three figures that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
