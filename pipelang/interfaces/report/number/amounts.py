"""Dollars and tokens taken apart: calls times what one takes, and tokens times prices."""

from __future__ import annotations

from pipelang.analysis.metrics.derivation import Contribution, Derivation
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import exact_money, rate
from pipelang.interfaces.text.table import Cell, Row, labelled, lay_out
from pipelang.semantics.metrics import COST_MONTH, COST_WORST, TOKENS_MEAN


def amounts(view: View, found: Derivation) -> list[str]:
    """A row a kind of call: how often, at what a time; below, what one call takes."""
    tokens = found.name == TOKENS_MEAN
    rows: list[Row] = []
    for part in found.parts:
        often = each = ""
        if part.calls is not None and part.each is not None:
            whole = float(part.calls).is_integer() and found.name == COST_WORST
            often = f"{part.calls:.0f} ×" if whole else f"{part.calls:.6f} ×"
            each = f"{part.each:,.2f}" if tokens else in_dollars(part.each)
        amount = f"{part.amount:,.4f}" if tokens else in_dollars(part.amount)
        what = part.tier or ("" if part.label.count(" ") else "tools and pipelines")
        if part.position:
            what += f" (else {part.position})"
        if part.turn is not None:
            what += f", turn {part.turn}"
        if part.told:
            what += ", redone"
        rows.append([part.label, Cell(what, "dim"), often, each, "=", amount])
    total = sum(part.amount for part in found.parts)
    rows.append(["together", "", "", "", "", f"{total:,.4f}" if tokens else in_dollars(total)])
    lines = lay_out(rows, "<<>><>", view.paint, width=view.width, whole=True)
    if found.name == COST_MONTH:
        per_day = view.pipeline.traffic.per_day
        assert per_day is not None
        runs = rate(float(per_day))
        lines.append(
            f"  {in_dollars(total)} × {runs} runs a day × 30 days = {exact_money(found.value)}"
        )
    formulas = dict(_formula(view, part, tokens) for part in found.parts if part.spent is not None)
    if formulas:
        lines += ["", view.heading("What one call takes")]
        lines += labelled(formulas.items(), view.paint, width=view.width)
    return lines


def in_dollars(amount: float) -> str:
    """Dollars with the same decimals for all, so that they can be added up."""
    return f"${amount:,.8f}"


def _formula(view: View, part: Contribution, tokens: bool) -> tuple[str, str]:
    """Tokens times prices of one call at a tier."""
    spent, tier = part.spent, view.program.tiers[part.tier or ""]
    assert spent is not None and part.each is not None
    read, written = spent.tokens_in.mean, spent.tokens_out.mean
    most_in = "" if spent.tokens_in.declared else " at most"
    most_out = "" if spent.tokens_out.declared else " at most"
    turn = f", turn {part.turn}" if part.turn is not None else ""
    name = f"{part.label} at {tier.name}{turn}" + (", redone" if part.told else "")
    if tokens:
        said = f"{read:,.2f} read{most_in} + {written:,.2f} written{most_out}"
        return name, f"{said} = {part.each:,.2f} tokens"
    price_in, price_out = spent.price_in, tier.prices.get("out")
    if price_in is None or price_out is None:
        return name, "no price is known"
    said = f"({read:,.2f} tokens read{most_in} × ${price_in}"
    if spent.price_kept is not None and spent.price_kept != price_in:
        rest = f" + {read - spent.kept:,.2f} × ${price_in}" if read > spent.kept else ""
        said = f"({spent.kept:,.2f} tokens kept{most_in} × ${spent.price_kept}{rest}"
    said += f" + {written:,.2f} written{most_out} × ${price_out})"
    said += " / 1,000,000" + (" / 2 in a batch" if part.batch else "")
    return name, f"{said} = {in_dollars(part.each)}"
