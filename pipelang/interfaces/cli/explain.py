"""`pipelang explain`: what a code means, from the one table of codes and the pages beside it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipelang.diagnostics.lookup import FAMILIES, find, nearest, placeholders
from pipelang.interfaces.cli.terminal import text_width, wants_colour, write

if TYPE_CHECKING:
    from pipelang.diagnostics import Rule
    from pipelang.diagnostics.explanation import Fence
    from pipelang.interfaces.text.colours import Paint

STYLES = {"error": "bad", "warning": "unsure", "note": "people"}


@click.command(name="explain", short_help="Say what a code such as P201 means.")
@click.argument("code", required=False)
@click.pass_context
def command(ctx: click.Context, code: str | None) -> None:
    """Say what CODE means: `P201`, or its name, `unknown-name`. Without CODE, list them all."""
    from pipelang.interfaces.text.colours import painter

    paint, width = painter(wants_colour(sys.stdout)), text_width(sys.stdout)
    if code is None:
        write(listing(paint, width))
        return
    rule = find(code)
    if rule is None:
        close = nearest(code)
        hint = f"; did you mean `{close}`?" if close else "; `pipelang explain` lists all"
        ctx.fail(f"there is no code `{code}`{hint}")
    write(explanation(rule, paint, width))


def explanation(rule: Rule, paint: Paint, width: int) -> str:
    """All that the table and the page say of a rule."""
    from pipelang.diagnostics.columns import wrap
    from pipelang.diagnostics.explanation import page_of
    from pipelang.interfaces.text.table import labelled

    severity = rule.severity.value
    head = f"{paint(rule.code, 'title')}  {paint(rule.name, 'title')}"
    parts = [
        ("severity", f"{severity}: {_WEIGHT[severity]}"),
        ("family", FAMILIES[rule.code[:2]]),
        ("message", placeholders(rule.template)),
    ]
    if rule.help:
        parts.append(("help", placeholders(rule.help)))
    lines = [head, *labelled(parts, paint, width=width, label="dim")]
    page = page_of(rule.code)
    if page is not None:
        for paragraph in page.paragraphs:
            lines += ["", *wrap(paragraph, width)]
        for fence in page.fences:
            lines += ["", *_example(fence, paint)]
    return "\n".join(lines) + "\n"


_WEIGHT = {
    "error": "`check` fails",
    "warning": "`check` fails with --strict",
    "note": "`check` never fails for it",
}
_HEADS = {"wrong": ("Wrong:", "bad"), "right": ("Right:", "good")}


def _example(fence: Fence, paint: Paint) -> list[str]:
    """Code, set in; comments stand back."""
    words, style = _HEADS.get(fence.label, (f"With {fence.label}:", "heading"))
    lines = [paint(words, style), ""]
    for line in fence.text.splitlines():
        comment = line.lstrip().startswith("#")
        lines.append(f"    {paint(line, 'dim' if comment else '')}".rstrip())
    return lines


def listing(paint: Paint, width: int) -> str:
    """Every code, by family."""
    from pipelang.diagnostics import RULES
    from pipelang.interfaces.text.table import Cell, Row, lay_out

    rows: list[Row] = []
    for rule in RULES.values():
        severity = rule.severity.value
        message = Cell(placeholders(rule.template), "dim")
        rows.append([rule.code, rule.name, Cell(severity, STYLES[severity]), message])
    lines = lay_out(rows, "<<<<", paint, width=width)
    blocks = []
    for family, title in FAMILIES.items():
        mine = [line for line, code in zip(lines, RULES, strict=True) if code.startswith(family)]
        if mine:
            blocks.append("\n".join([paint(title, "heading"), *mine]))
    return "\n\n".join(blocks) + "\n"
