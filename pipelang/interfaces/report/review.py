"""Review queues as text: are there enough people for what the pipelines send them?"""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.analysis.review import BUSY, DAY, FULL, Load, erlang_c
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.paint import Paint
from pipelang.interfaces.report.table import Cell, Row, lay_out
from pipelang.interfaces.report.words import interval, percent, plural, value
from pipelang.semantics.quantities import show_seconds

SECTION = "Review load"


def review(loads: Sequence[Load], width: int, paint: Paint) -> list[str]:
    """A row a role over all pipelines that were checked: cases, how busy, how long a case waits."""
    if not loads:
        return []
    head = ("", "cases a day", "people", "a case takes", "busy", "", "95% wait under")
    rows: list[Row] = [[Cell(text, "dim") for text in head]]
    for load in loads:
        role = load.role
        handles = "?" if role.handles is None else show_seconds(float(role.handles))
        rows.append(
            [
                role.name,
                value(load.cases, cases_a_day) if load.cases.high is not None else "?",
                "?" if role.people is None else f"{role.people:,}",
                handles,
                Cell(_busy(load), style(load)),
                Cell(interval(load.utilisation, percent), "dim"),
                wait(load),
            ]
        )
    lines = lay_out(rows, "<>>>>>>", paint, width=width, whole=True)
    said = remark(loads)
    more = [paint(line, "dim") for line in wrap(said, width, 2)] if said else []
    return [paint(SECTION, "heading"), *lines, *more]


def cases_a_day(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _busy(load: Load) -> str:
    number = load.utilisation
    return "?" if number.value is None and number.high is None else value(number, percent)


def style(load: Load) -> str:
    """How a queue does: good, unsure or bad."""
    busy = load.utilisation.value
    return "unsure" if busy is None or BUSY < busy < FULL else "bad" if busy >= FULL else "good"


def wait(load: Load) -> str:
    busy = load.utilisation.low if load.utilisation.value is None else load.utilisation.value
    if busy is not None and busy >= FULL:
        return "no end"
    if load.wait_p95.value is None:
        return "?"
    return show_seconds(load.wait_p95.value)


def remark(loads: Sequence[Load]) -> str:
    """What the table takes for granted, and what is missing for it."""
    said = []
    missing = [
        load.role.name for load in loads if load.role.people is None or load.role.handles is None
    ]
    if missing:
        said.append(
            f"For {', '.join(f'`{name}`' for name in missing)}: `people N` and `handles TIME` in "
            "the role say how busy they are."
        )
    if any(load.cases.high is None for load in loads):
        said.append("How many runs a day there are is said by `traffic { N per day }`.")
    if len(said) < len(loads):
        hours = {float(DAY if load.role.hours is None else load.role.hours) for load in loads}
        day = f"{plain_hours(hours.pop())} a day" if len(hours) == 1 else "their hours"
        said.append(f"Cases come at random, and are worked on {day}.")
    return " ".join(said)


def plain_hours(hours: float) -> str:
    return f"{hours:g} hours"


def review_explained(load: Load, width: int, paint: Paint) -> list[str]:
    """How busy a role is and how long cases wait, step by step."""
    role = load.role
    lines = [paint(f"review.{role.name}", "title"), paint("─" * width, "dim")]
    cases, busy = load.cases.value, load.utilisation.value
    if role.people is None or role.handles is None or cases is None or busy is None:
        return [*lines, *wrap(remark([load]) or "Too little is declared of it.", width)]
    handles, hours = float(role.handles), float(DAY if role.hours is None else role.hours)
    open_seconds = hours * 3600
    work = cases * handles / open_seconds
    declared = "" if role.hours is not None else " (by default)"
    people = plural(role.people, "person", "people")
    steps = [
        f"{cases:,.4f} cases come a day from all pipelines that were checked",
        f"{cases:,.4f} × {handles:g}s a case = {cases * handles:,.2f}s of work a day",
        f"{hours:g} hours a day{declared} are {open_seconds:,.0f}s: work for {work:.6f} people",
        f"{work:.6f} / {people} = {busy:.6f}: busy {percent(busy)} of the time",
    ]
    if busy < 1:
        waits = erlang_c(role.people, work) if work > 0 else 0.0
        steps.append(
            f"a case has to wait with probability {waits:.6f} (Erlang C: B = 1; for k = 1 to "
            f"{role.people}: B = a B / (k + a B) with a = {work:.6f}; then B / (1 − busy (1 − B)))"
        )
        if load.wait_p95.value is not None:
            steps.append(
                f"95% wait under max(0, ln({waits:.6f} / 0.05) × {handles:g}s / ({role.people} − "
                f"{work:.6f})) = {show_seconds(load.wait_p95.value)}"
            )
    else:
        steps.append("that is more than there are people for: the queue only grows")
    for number, step in enumerate(steps, 1):
        first, *rest = wrap(step, width - 5)
        lines += [f"  {number}. {first}", *(f"     {line}" for line in rest)]
    return lines
