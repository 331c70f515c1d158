"""Layout rules of the formatter, one a construct.

Most rules are a sentence: their words with spaces between them, their brackets as lists or blocks.
Those that are more have a function here. Rules that only make sense inside the rule around them
(a link of a chain, an operand of a sum, an entry of a block with columns) are left alone until
that rule asks for them.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelang.syntax.format.chains import breaker, chain, guarded, step, when
from pipelang.syntax.format.document import (
    GAP,
    LINE,
    Document,
    Remarks,
    group,
    indent,
    row,
    sentence,
    word,
)
from pipelang.syntax.format.leaf import Leaf
from pipelang.syntax.format.pieces import COMMA_LISTS, LISTS, Lay, clause, fill, pieces, separated
from pipelang.syntax.format.render import WIDTH
from pipelang.syntax.format.tree import Node


def lay(child: Node | Leaf) -> Document:
    """The layout of a child, computed once."""
    if isinstance(child, Leaf):
        return word(child)
    if child.document is None:
        child.document = LAYOUTS.get(child.rule, _plain)(child, lay)
    return child.document


def finish(node: Node) -> None:
    """Lay out a node whose children are laid out; it or they may wait for what is around them."""
    for child in node.children:
        if isinstance(child, Leaf):
            _place(child, node.rule)
    if node.rule not in WAITING and not node.rule.startswith(("opt_", "mock_", "expect_")):
        lay(node)


def whole(root: Node, end: Leaf) -> Document:
    """The file: a blank line between declarations, among one-liners of a kind as the author did."""
    lines: list[Document] = []
    before: Node | None = None
    for child in root.children:
        nodes = child.children if isinstance(child, Node) and child.rule == LIST else [child]
        for node in nodes:
            assert isinstance(node, Node)
            document = lay(node)
            if before is not None:
                free = before.rule == node.rule and _is_short(lay(before)) and _is_short(document)
                gap = not free or (document.first is not None and document.first.gap)
                lines.append(GAP if gap else LINE)
            lines.append(document)
            before = node
    if end.remarks:
        lines += [GAP if end.gap else LINE] if lines else []
        lines.append(Remarks(end.remarks))
    return row(lines)


LIST = "declarations"


def _is_short(document: Document) -> bool:
    return not document.forced and document.width <= WIDTH


def _place(leaf: Leaf, rule: str) -> None:
    """Sides of a rule's tokens where no space stands."""
    match leaf.text:
        case "," | ":" | ")" | "]" | "?":
            leaf.tight_before = True
        case "." | "..":
            leaf.tight_before = leaf.tight_after = True
        case "(":
            leaf.tight_before, leaf.tight_after = rule not in ("parens", "rate_value"), True
        case "[":
            leaf.tight_before, leaf.tight_after = rule in ("index", "metric_key"), True
        case "-":
            leaf.tight_after = rule in ("negate", "negative_bound")
        case _:
            pass


def _plain(node: Node, lay: Lay) -> Document:
    return sentence(pieces(node.rule, node.children, lay))


def _listed(node: Node, lay: Lay) -> Document:
    return fill(separated(node.children, lay))


_TIER_RATES = ("tier_rates_first", "tier_rates_more", "tier_rates_hard")


def _tier_rates(node: Node, lay: Lay) -> Document:
    """Rates by tier, of which one for hard cases stands with the tier before it."""
    rates: list[Document] = []
    at = node
    while len(at.children) > 1:
        before, comma, *rate = at.children
        assert isinstance(before, Node)
        rates.append(sentence([*map(lay, rate)]))
        rates.append(lay(comma))
        at = before
    rates.append(lay(at.children[0]))
    rates.reverse()
    elements = [rates[0]]
    for comma_, rate_ in zip(rates[1::2], rates[2::2], strict=True):
        elements[-1] = row([elements[-1], comma_])
        elements.append(rate_)
    return fill(elements)


def _quota_amount(node: Node, lay: Lay) -> Document:
    """`$50/day`, but `50 / day`: in one piece that would be read as a rate."""
    *amount, per, period = map(lay, node.children)
    last = amount[-1].last
    if per.first is not None and last is not None and not last.text.isdigit():
        per.first.tight_before = per.first.tight_after = True
    return sentence([*amount, per, period])


def _clause(node: Node, lay: Lay) -> Document:
    return clause(pieces(node.rule, node.children, lay))


_LEVELS = {
    "or_": ("or_",),
    "and_": ("and_",),
    "add": ("add", "subtract"),
    "subtract": ("add", "subtract"),
    "multiply": ("multiply", "divide"),
    "divide": ("multiply", "divide"),
}


def _operators(node: Node, lay: Lay) -> Document:
    """`a and b and c`: on one line, or an operator at the start of each."""
    level = _LEVELS[node.rule]
    operands: list[Document] = []
    at: Node | Leaf = node
    while isinstance(at, Node) and at.rule in level:
        at, operator, right = at.children
        operands.append(indent(row([LINE, sentence([lay(operator), lay(right)])])))
    return group(row([lay(at), *reversed(operands)]))


def _condition(node: Node, lay: Lay) -> Document:
    parts = [lay(child) for child in node.children]
    lines = (indent(row([LINE, sentence(parts[at : at + 2])])) for at in (2, 4))
    return group(row([sentence(parts[:2]), *lines]))


LAYOUTS: dict[str, Callable[[Node, Lay], Document]] = {
    **dict.fromkeys(_LEVELS, _operators),
    "if_expr": _condition,
    "step": step,
    "chain_open": chain,
    "chain_closed": chain,
    "breaker": breaker,
    **dict.fromkeys(("budget", "gate", "approve", "hold"), guarded),
    "when": when,
    **dict.fromkeys(("with_value", "alert", "template_file"), _clause),
    **dict.fromkeys(
        (
            "amounts", "prices", "strings_comma", "members", "lengths", "exprs",
            "names_comma", "mock_values", "verdicts", "pattern",
        ),
        _listed,
    ),
    **dict.fromkeys(_TIER_RATES, _tier_rates),
    "quota_amount": _quota_amount,
    "quota_runs": _quota_amount,
}  # fmt: skip
"""The rules that are more than a sentence."""

WAITING = frozenset(
    {
        *LISTS,
        *COMMA_LISTS,
        *_LEVELS,
        *("chain_open", "chain_closed", "links_first", "links_more", "redo", "when_else"),
        *("field", "slo_line", "watch_line", "given", "arm"),
        *("use_names", "declarations", "start"),
        *_TIER_RATES,
    }
)
"""The rules that the rule around them lays out, or the parts of. So are options and test lines."""
