"""Review queues as text: are there enough people for what the pipelines send them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelang.analysis.metrics.review_queues import (
    BUSY,
    DAY,
    FULL,
    Load,
    erlang_c,
    show_busy,
    show_cases,
)
from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.number_format import Show, interval, listed, plural, value
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.semantics.metrics import REVIEW_LOAD
from pipelang.semantics.quantities import show_seconds

SECTION = "Review load"


def review(loads: Sequence[Load], width: int, paint: Paint, verbose: bool = True) -> list[str]:
    """A row a role over all pipelines that were checked: cases, how busy, how long a case waits;
    and what was taken for granted, where it is `verbose`.
    """
    if not loads:
        return []
    rows = review_rows(loads)
    lines = lay_out(rows, "<>>>>>>", paint, width=width, whole=True) if rows else []
    said = remarks(loads) if verbose else [*_open_queues(loads)]
    more = [paint(line, "dim") for words in said for line in wrap(words, width, 2)]
    return [paint(SECTION, "heading"), *lines, *more]


def review_rows(loads: Sequence[Load]) -> list[Row]:
    """A head, and a row for every queue that something is known of; none if there is none."""
    head = ("", "cases a day", "people", "a case takes", "busy", "", "95% wait under")
    rows: list[Row] = [_row(load) for load in loads if is_known(load)]
    return [[Cell(text, "dim") for text in head], *rows] if rows else []


def is_known(load: Load) -> bool:
    """Whether the utilisation of a queue is known, or has a lower bound above 0."""
    return load.utilisation.value is not None or bool(load.utilisation.low)


def _row(load: Load) -> Row:
    role = load.role
    assert role.handles is not None
    return [
        role.name,
        at_least(load.cases, show_cases),
        f"{role.people:,}",
        show_seconds(float(role.handles)),
        Cell(busy(load), style(load)),
        Cell(interval(load.utilisation, show_busy), "dim"),
        wait(load),
    ]


def at_least(number: Number, show: Show) -> str:
    """The value or its range; its lower bound where nothing bounds it from above."""
    if number.value is None and number.high is None:
        return f"from {show(number.low)}" if number.low else "?"
    return value(number, show)


def busy(load: Load) -> str:
    return at_least(load.utilisation, show_busy)


def style(load: Load) -> str:
    """The style of a queue's figures: good, unsure or bad."""
    share = load.busy
    if share is not None and share >= FULL:
        return "bad"
    return "unsure" if load.utilisation.value is None or load.utilisation.value > BUSY else "good"


def wait(load: Load) -> str:
    if load.busy is not None and load.busy >= FULL:
        return "no end"
    if load.wait_p95.value is None:
        return "?"
    return show_seconds(load.wait_p95.value) if load.wait_p95.value else "no wait"


MOST_NAMED = 5


def remarks(loads: Sequence[Load]) -> list[str]:
    """Remarks below the table: figures that are missing, and assumptions."""
    said = [*_open_queues(loads)]
    known = [load for load in loads if is_known(load)]
    if known:
        hours = {float(DAY if load.role.hours is None else load.role.hours) for load in known}
        day = f"{hours.pop():g} hours a day" if len(hours) == 1 else "as many hours as declared"
        said.append(f"Taken for granted: cases come at random, and are worked on {day}.")
    return said


def _open_queues(loads: Sequence[Load]) -> Iterator[str]:
    """The roles of which nobody can say how busy they will be."""
    by_lack: dict[str, list[str]] = {}
    for load in loads:
        if not is_known(load):
            named = by_lack.setdefault(_lacking(load), [])
            if f"`{load.role.name}`" not in named:
                named.append(f"`{load.role.name}`")
    for lack, silent in by_lack.items():
        more = len(silent) - MOST_NAMED
        others = [f"{more:,} others"] if more > 1 else silent[MOST_NAMED:]
        yield (
            f"How busy {listed([*silent[:MOST_NAMED], *others])} will be is open: declare {lack}."
        )


def _lacking(load: Load) -> str:
    """The declarations without which a role's load is open, in words."""
    role = load.role
    own = [
        name
        for name, value in (("`people`", role.people), ("`handles`", role.handles))
        if value is None
    ]
    said = [f"{listed(own)} in the role"] if own else []
    if load.cases.value is None:
        said.append("how many runs there are, as in `traffic 500/day`, and what sends cases to it")
    return ", and ".join(said) or "the figures that it hangs on"


def review_explained(load: Load, width: int, paint: Paint) -> list[str]:
    """Derives a role's utilisation and the wait of its cases, step by step."""
    role = load.role
    lines = [paint(f"{REVIEW_LOAD}.{role.name}", "title"), paint("─" * width, "dim")]
    cases, share = load.cases.value, load.utilisation.value
    if role.people is None or role.handles is None:
        return [*lines, *wrap(remarks([load])[0], width)]
    if cases is None or share is None:
        said = f"Cases a day: {at_least(load.cases, show_cases)}; busy: {busy(load)} of the time."
        why = "There is a range because not all that sends cases is known: a figure that nobody"
        why += " declared, or a pipeline whose `traffic` says no rate, such as `500/day`."
        return [*lines, *wrap(said, width), *wrap(why, width)]
    handles, hours = float(role.handles), float(DAY if role.hours is None else role.hours)
    open_seconds = hours * 3600
    work = cases * handles / open_seconds
    declared = "" if role.hours is not None else " (by default)"
    people = plural(role.people, "person", "people")
    steps = [
        f"{cases:,.4f} cases come a day from all pipelines that were checked",
        f"{cases:,.4f} × {handles:g}s a case = {cases * handles:,.2f}s of work a day",
        f"{hours:g} hours a day{declared} are {open_seconds:,.0f}s: work for {work:.6f} people",
        f"{work:.6f} / {people} = {share:.6f}: busy {show_busy(share)} of the time",
    ]
    if share < 1:
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
