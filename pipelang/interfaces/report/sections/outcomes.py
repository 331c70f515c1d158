"""The sections on outcomes: their shares, and escalations by gate or step."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.metric_words import WORDS
from pipelang.interfaces.report.sections.granted import granted
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import (
    DUST,
    a_day,
    interval,
    listed,
    one_in,
    percent,
    plural,
    value,
)
from pipelang.interfaces.text.table import Cell, Row, bar, lay_out, range_bar
from pipelang.semantics import program as p
from pipelang.semantics import walk
from pipelang.semantics.metrics import (
    ESCALATION,
    OUTCOMES,
    SELECTIVE_RISK,
    WRONG_EFFECT,
)

BAR = 40
RARE = 0.005
"""Ways out that fewer runs take than this are told in one line, unless the report is verbose."""


def outcomes(view: View) -> list[str]:
    """A row an outcome, with its bar; none where nothing is known of any of them."""
    if is_open(view):
        return []
    lines = lay_out(outcome_rows(view), "<>><", view.paint, width=view.width)
    said = (line for words in remarks(view) for line in wrap(words, view.width, 2))
    more = [view.paint(line, "dim") for line in said]
    return [view.heading("What becomes of a run", outcome_note(view)), *lines, *more]


def is_open(view: View) -> bool:
    """Whether every possible outcome could be anything from 0% to 100%."""
    numbers = [
        view.number(outcome) for outcome in OUTCOMES if _at_most(view.number(outcome)) > DUST
    ]
    return all(number.value is None and _says_nothing(number) for number in numbers)


def outcome_rows(view: View) -> list[Row]:
    """Outcome, share, interval, bar."""
    room = max(0, min(BAR, view.width - 45))
    rows: list[Row] = []
    for outcome in OUTCOMES:
        number = view.number(outcome)
        if number.high is not None and number.high <= DUST:
            continue
        words = WORDS[outcome]
        rows.append(
            [
                words.label,
                value(number, percent),
                Cell(interval(number, percent), "dim"),
                _bar(number, 1.0, room, words.style),
            ]
        )
    return rows


def outcome_note(view: View) -> str:
    """The note that says how to read the shares."""
    numbers = [view.number(outcome) for outcome in OUTCOMES]
    if any(number.value is None for number in numbers):
        if view.analysis.unknown:
            return "whatever the undeclared figures turn out to be"
        if view.analysis.cut is not None:
            return "whatever the runs spend of their budget"
        return "whatever became of the rare cases that were left out"
    rounded = sum(float(_printed(number)) for number in numbers)
    return "rounded; unrounded they make 100%" if abs(rounded - 100) > ROUNDING else ""


ROUNDING = 0.05
"""Percentage points by which printed shares may be off 100% before anybody is told why."""


def _printed(number: Number) -> str:
    return percent(number.value or 0.0)[:-1]


def _says_nothing(number: Number) -> bool:
    return number.low is None or number.high is None or number.high - number.low >= 1 - DUST


def _bar(number: Number, most: float, room: int, style: str) -> Cell:
    """A bar of a figure, or of its bounds."""
    if number.value is not None:
        share = number.value / most
        return Cell(bar(share, room), style, (share, share))
    low, high = number.low or 0.0, 1.0 if number.high is None else number.high
    low, high = low / most, high / most
    return Cell(range_bar(low, high, room), style, (low, high))


def remarks(view: View) -> Iterator[str]:
    """Remarks on what the shares mean for whoever gets the answers."""
    yield from _wrong_ones(view)
    taken = granted(view)
    if taken:
        yield taken
    yield from _cut_short(view)


def brief_remarks(view: View) -> Iterator[str]:
    """The same in a line each, where there is room for one."""
    risk, effect = view.value(SELECTIVE_RISK), view.value(WRONG_EFFECT)
    said = []
    if risk is not None and DUST < risk < 1:
        as_cases = f" ({one_in(risk)})" if risk < 0.1 else ""
        said.append(f"{percent(risk)} of the answers are wrong{as_cases}")
    if effect is not None and effect > DUST:
        said.append(f"{percent(effect)} of the runs do something with a wrong value")
    if said:
        yield ", ".join(said)
    taken = granted(view)
    if taken:
        yield taken
    yield from _cut_short(view)


def _wrong_ones(view: View) -> Iterator[str]:
    risk = view.value(SELECTIVE_RISK)
    if risk is not None and DUST < risk < 1:
        as_cases = f" ({one_in(risk)})" if risk < 0.1 else ""
        yield f"of the answers, {percent(risk)} are wrong{as_cases}"
    effect = view.value(WRONG_EFFECT)
    if effect is not None and effect > DUST:
        yield f"in {percent(effect)} of runs something is done in the world with a wrong value"


def _cut_short(view: View) -> Iterator[str]:
    cut = view.analysis.cut
    if cut is not None:
        dimensions = listed(list(dict.fromkeys(one.dimension for one in view.analysis.cuts)))
        share = value(cut, percent)
        if cut.value is None and not cut.low:
            share = f"up to {percent(cut.high or 0.0)}"
        # Few files have cuts, and what works them out takes a while to import.
        from pipelang.analysis.metrics.cut_numbers import goes_on

        beyond = goes_on(view.program, view.pipeline, view.analysis.cuts)
        yield (
            f"a budget ({dimensions}) cuts {share} of runs short, and the shares are bounds that"
            " hold whatever these come to; costs and times are bounds, "
            + ("too" if beyond else "those of runs without cuts")
        )


def escalations(view: View) -> list[str]:
    """The ways to a person, the frequent ones first, with the words that the person reads."""
    rows, rare = escalation_rows(view)
    if not rows and not rare:
        return []
    lines = lay_out(rows, "<>><<<", view.paint, width=view.width)
    lines += [view.paint(f"  {rare}", "dim")] if rare else []
    return [view.heading(escalation_head(view), _daily(view)), *lines]


def escalation_rows(view: View) -> tuple[list[Row], str]:
    """Way, share, interval, bar, role, words; and the rare ways in one line."""
    found = dict(escalation_ways(view))
    most_of = {name: _at_most(number) for name, number in found.items()}
    ranked = list(found)
    if not ranked:
        return [], ""
    shown = [name for name in ranked if view.verbose or most_of[name] >= RARE]
    rare = [name for name in ranked if name not in shown]
    texts = ways_to_people(view.pipeline.block)
    roles = {role for role, _ in texts.values()}
    rows: list[Row] = []
    for name in shown:
        number = found[name]
        role, text = texts.get(name, ("", None))
        rows.append(
            [
                name,
                value(number, percent),
                Cell(interval(number, percent), "dim"),
                _bar(number, most_of[ranked[0]], 12, "people"),
                Cell(f"{role}:" if role and len(roles) > 1 else "", "dim"),
                text or "",
            ]
        )
    if not rare:
        return rows, ""
    together = sum(most_of[name] for name in rare)
    more = f"{len(rare)} more" if shown else plural(len(rare), "way")
    return rows, f"{more}, together {percent(together)}: {listed(rare)}"


def escalation_ways(view: View) -> list[tuple[str, Number]]:
    """The ways to a person that a run can take, with their shares, the most frequent first."""
    found = view.analysis.escalations.items()
    possible = [(name, number) for name, number in found if _at_most(number) > DUST]
    return sorted(possible, key=lambda way: -_at_most(way[1]))


def escalation_head(view: View) -> str:
    roles = {role for role, _ in ways_to_people(view.pipeline.block).values()}
    whom = f"`{next(iter(roles))}`" if len(roles) == 1 else "people"
    return f"To {whom}, by the gate or step that sends it"


def _at_most(number: Number) -> float:
    if number.value is not None:
        return number.value
    return 1.0 if number.high is None else number.high


def _daily(view: View) -> str:
    total, per_day = view.value(ESCALATION), view.pipeline.traffic.per_day
    if per_day is None or total is None or total <= DUST:
        return ""
    return f"{a_day(float(per_day) * total, 'case', 'cases')}"


def ways_to_people(block: p.Block) -> dict[str, tuple[str, str | None]]:
    """Role and text of every escalation of a block, by the name that takes it."""
    found: dict[str, tuple[str, str | None]] = {}
    for outcome in walk.outcomes(block):
        if isinstance(outcome, p.Escalate):
            found.setdefault(outcome.reason, (outcome.role, outcome.text))
    return found
