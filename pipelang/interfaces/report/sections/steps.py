"""The table of steps, and how they compound: the product by hand beside the exact figure."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence

from pipelang.analysis.kernels.providers import tiers_of
from pipelang.analysis.metrics.step_rows import StepRow
from pipelang.diagnostics.columns import cells_of, wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import (
    decimals,
    exact_percent,
    listed,
    percent,
    value,
)
from pipelang.interfaces.text.table import Cell, Row, bar, labelled, lay_out
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared
from pipelang.semantics.kernels.hard import depends_on_hardness
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.metrics import ESCALATION, REJECTION, SELECTIVE_RISK, SUCCESS
from pipelang.semantics.walk import all_items, inner_links

BAR = 24
MOST_ROWS = 40
SAME = 5e-5
"""A product and an exact figure that differ by less than this are the same for people."""

INNER = "child.step"

LEGEND = (
    ("alone", "how often the step answers, and is right, if everything that it reads is right"),
    (
        "so far",
        "`alone` multiplied downwards: the chain as one would work it out by hand",
    ),
    ("reached", "how many of the runs get to this step"),
    ("cost", "what the step adds to the mean cost of a run"),
    (
        INNER,
        "a step of a pipeline that is run: its cost is part of that of the step that runs it",
    ),
    (
        "matters",
        "how many more of 100 runs would be answered right if the step erred in one case of 100 "
        "less; start where the bar is long and `alone` is far from 100%",
    ),
)


def steps(view: View) -> list[str]:
    """The table, its legend, and the compounding below it."""
    rows = view.analysis.steps
    if not rows:
        return []
    shown = set(range(len(rows))) if view.verbose else set(heaviest(rows, MOST_ROWS))
    lines = [view.heading("Steps")]
    lines += lay_out(step_rows(view, shown), "<>>>>><", view.paint, width=view.width)
    if len(shown) < len(rows):
        more = f"  {len(rows) - len(shown):,} more steps matter less (--verbose shows them)"
        lines.append(view.paint(more, "dim"))
    said, why = compounding(view)
    if said:
        lines += ["", *(view.paint(line, "title") for line in wrap(said, view.width, 2))]
        lines += [view.paint(line, "dim") for line in wrap(why, view.width, 2)] if why else []
    if view.legend:
        told = [one for one in LEGEND if view.analysis.inner or one[0] != INNER]
        lines += ["", *labelled(told, view.paint, width=view.width, style="dim", label="dim")]
    return lines


def step_rows(
    view: View, shown: Container[int], inside: Collection[int] | None = None
) -> list[Row]:
    """A head, and a row for every step whose number is among those shown; below them the steps
    of pipelines that are run, by their numbers in the analysis, or those that matter most.
    """
    rows = view.analysis.steps
    products = running_products(rows)
    costs = _costs(rows)
    within = heaviest(view.analysis.inner, MOST_ROWS) if inside is None else inside
    inner = [view.analysis.inner[at] for at in sorted(within)]
    every = [abs(row.importance_success.value or 0.0) for row in (*rows, *inner)]
    most = max(every, default=0.0) or 1.0
    header = ("alone", "so far", "reached", "cost", "matters", "")
    table: list[Row] = [[Cell("", "dim"), *(Cell(name, "dim") for name in header)]]
    widest = max(cells_of(row.name) for row in (*rows, *inner))
    room = view.width - 48 - max(map(len, costs)) - widest
    room = max(8, min(BAR, room))
    for index, (row, product, cost) in enumerate(zip(rows, products, costs, strict=True)):
        if index not in shown:
            continue
        so_far = "?" if product is None else exact_percent(product)
        table.append(_row(row, so_far, cost, None if len(every) == 1 else most, room))
    for row, cost in zip(inner, _costs((*rows, *inner))[len(rows) :], strict=True):
        table.append(_row(row, "", cost, most, room))
    return table


def _row(row: StepRow, so_far: str, cost: str, most: float | None, room: int) -> Row:
    """A step; a bar beside it, but where it is the only one."""
    weight = row.importance_success.value
    return [
        Cell(row.name),
        Cell("?" if row.own is None else exact_percent(row.own)),
        Cell(so_far),
        Cell(value(row.reached, percent)),
        Cell(cost),
        Cell("?" if weight is None else _weight(weight)),
        _bar(None if weight is None or most is None else abs(weight) / most, room),
    ]


def _bar(share: float | None, room: int) -> Cell:
    return Cell("") if share is None else Cell(bar(share, room), "", (share, share))


def heaviest(rows: Sequence[StepRow], most: int) -> list[int]:
    """The indices of the rows that matter most, at most so many."""
    ranked = range(len(rows))
    return sorted(ranked, key=lambda i: -abs(rows[i].importance_success.value or 0.0))[:most]


def running_products(rows: Sequence[StepRow]) -> list[float | None]:
    """Own reliabilities multiplied in order; None from the first unknown one on."""
    product: float | None = 1.0
    products = []
    for row in rows:
        product = None if product is None or row.own is None else product * row.own
        products.append(product)
    return products


def _costs(rows: Sequence[StepRow]) -> list[str]:
    """Dollars with the same number of decimals, so that they line up."""
    known = [row.cost_mean.value for row in rows if row.cost_mean.value]
    if not known:
        return ["?" if row.cost_mean.value is None else "–" for row in rows]
    places = min(6, max(decimals(max(known), 2), decimals(min(known), 1)))
    return [
        "?"
        if row.cost_mean.value is None
        else f"${row.cost_mean.value:,.{places}f}"
        if row.cost_mean.value
        else "–"
        for row in rows
    ]


def _weight(weight: float) -> str:
    return "0" if abs(weight) < 0.005 else f"{weight:.2f}"


def compounding(view: View, brief: bool = False) -> tuple[str, str]:
    """The naive product beside the exact figure, and what the product leaves out."""
    rows = view.analysis.steps
    product = running_products(rows)[-1] if rows else None
    exact, number = view.value(SUCCESS), len(rows)
    if product is None or exact is None or number < 2:
        return "", ""
    head = f"The {number} steps multiplied make {exact_percent(product)}"
    if abs(product - exact) < SAME:
        return f"{head}, and that is how many runs are answered right.", ""
    risk = view.value(SELECTIVE_RISK)
    of_answers = f" ({exact_percent(1 - risk)} of the answers)" if risk is not None else ""
    right = "are right" if brief else "of the runs are answered right"
    said = f"; in fact {exact_percent(exact)} {right}{of_answers}."
    reasons = left_out(view)
    why = f"What multiplying leaves out: {'; '.join(reasons)}." if reasons else ""
    return head + said, why


def left_out(view: View) -> list[str]:
    """The constructs of this pipeline that a product of its steps' reliabilities leaves out."""
    everything = list(all_items(view.pipeline.block))
    found = []
    people, refused = view.value(ESCALATION) or 0.0, view.value(REJECTION) or 0.0
    if people > SAME:
        found.append(f"{percent(people)} of the runs go to a person on the way")
    if refused > SAME:
        found.append(f"{percent(refused)} are rejected on the way")
    if any(isinstance(item, (p.When, p.MatchBranch)) for item in everything):
        found.append("not every run takes every step")
    redoing = [
        f"`{item.name}` has `{redo.step}` done again"
        for item in everything
        if isinstance(item, (p.Gate, p.Person)) and (redo := redo_of(item)) is not None
    ]
    found += redoing[:1]
    made = [item for item in everything if isinstance(item, p.Step)]
    for provider, users in _shared(view.program, made).items():
        if len(users) > 1:
            names = listed([f"`{name}`" for name in users])
            found.append(f"an outage of `{provider}` hits {names} at once")
            break
    if depends_on_hardness(view.program, view.pipeline):
        found.append("a case that is hard for one step is hard for all")
    if any(_recovers(step) for step in made):
        found.append("a step can be right although it read something wrong")
    return found


def _shared(program: p.Program, made: list[p.Step]) -> dict[str, list[str]]:
    """The steps that ask models of each provider that is not always there."""
    found: dict[str, list[str]] = {}
    for step in made:
        for link in inner_links(step.chain):
            if not isinstance(link.action, p.AskTier):
                continue
            for tier in tiers_of(link.action):
                provider = program.providers[program.tiers[tier].provider]
                sure = isinstance(provider.available, Declared) and provider.available.share == 1
                users = found.setdefault(provider.name, [])
                if not sure and step.name not in users:
                    users.append(step.name)
    return found


def _recovers(step: p.Step) -> bool:
    return any(
        not isinstance(link.recovers, Declared) or link.recovers.share > 0
        for link in inner_links(step.chain)
    )
