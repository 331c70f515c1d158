"""The table of steps, and how they compound: the product by hand beside the exact figure."""

from __future__ import annotations

from pipelang.analysis.analyse import StepRow
from pipelang.analysis.chains import tiers_of
from pipelang.interfaces.report.table import Cell, Row, bar, labelled, lay_out, wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.report.words import (
    decimals,
    exact_percent,
    listed,
    percent,
    plural,
    value,
)
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared
from pipelang.semantics.walk import all_items, inner_links

BAR = 24
SAME = 5e-5
"""A product and an exact figure that differ by less than this are the same for people."""

LEGEND = (
    ("alone", "how often the step answers, and is right, if everything that it reads is right"),
    (
        "so far",
        "`alone` multiplied downwards: the chain as one would work it out by hand",
    ),
    ("reached", "how many of the runs get to this step"),
    ("cost", "what the step adds to the mean cost of a run"),
    (
        "matters",
        "if the step were right in one more of 100 cases, how many more of 100 runs would be "
        "answered right: the longest bar is the step to improve first",
    ),
)


def steps(view: View) -> list[str]:
    """The table, its legend, and the compounding below it."""
    rows = view.analysis.steps
    if not rows:
        return []
    products = running_products(rows)
    costs = _costs(rows)
    most = max((abs(row.importance_success.value or 0.0) for row in rows), default=0.0) or 1.0
    names = ["alone", "so far", "reached", "cost", "matters", ""]
    table: list[Row] = [[Cell(name, "dim") for name in ("", *names)]]
    for row, product, cost in zip(rows, products, costs, strict=True):
        weight = row.importance_success.value
        table.append(
            [
                Cell(row.name),
                Cell("?" if row.own is None else exact_percent(row.own)),
                Cell("?" if product is None else exact_percent(product)),
                Cell(value(row.reached, percent)),
                Cell(cost),
                Cell("?" if weight is None else _weight(weight)),
                Cell("" if weight is None else bar(abs(weight) / most, BAR)),
            ]
        )
    lines = [view.heading("Steps")]
    lines += lay_out(table, "<>>>>><", view.paint, width=view.width)
    lines += ["", *_compounding(view, products[-1])]
    if view.legend:
        lines += ["", *labelled(LEGEND, view.paint, width=view.width, style="dim", label="dim")]
    return lines


def running_products(rows: tuple[StepRow, ...]) -> list[float | None]:
    """Own reliabilities multiplied in order; None from the first unknown one on."""
    product: float | None = 1.0
    products = []
    for row in rows:
        product = None if product is None or row.own is None else product * row.own
        products.append(product)
    return products


def _costs(rows: tuple[StepRow, ...]) -> list[str]:
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


def _compounding(view: View, product: float | None) -> list[str]:
    """The naive product beside the exact figure, and what the product leaves out."""
    exact, number = view.value("success"), len(view.analysis.steps)
    if product is None or exact is None or number < 2:
        return []
    head = f"{plural(number, 'step')} multiplied: {exact_percent(product)}; "
    if abs(product - exact) < SAME:
        return wrap(f"{head}exact: the same here.", view.width, 2)
    lines = [f"  {head}{view.paint(f'exact: {exact_percent(exact)} answered right', 'title')}"]
    reasons = left_out(view)
    if reasons:
        said = f"A product leaves out that {listed(reasons)}."
        lines += [view.paint(line, "dim") for line in wrap(said, view.width, 2)]
    return lines


def left_out(view: View) -> list[str]:
    """What is in this pipeline that no product of its steps' reliabilities has in it."""
    everything = list(all_items(view.pipeline.block))
    found = []
    away = (view.value("escalation") or 0.0) + (view.value("rejection") or 0.0)
    if away > SAME:
        found.append(f"{percent(away)} of the runs end early, with a person or a refusal")
    if any(isinstance(item, (p.When, p.MatchBranch)) for item in everything):
        found.append("not every run takes every step")
    if any(isinstance(i, p.Gate) and isinstance(i.otherwise, p.Redo) for i in everything):
        found.append("a gate has work done again")
    made = [item for item in everything if isinstance(item, p.Step)]
    for provider, users in _shared(view.program, made).items():
        if len(users) > 1:
            names = listed([f"`{name}`" for name in users])
            found.append(f"an outage of `{provider}` stops {names} together")
            break
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
