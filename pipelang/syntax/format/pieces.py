"""Building blocks of layouts: bracketed lists, blocks with columns, comma lists, clauses.

The author's hand counts in four places, and nowhere else: a bracket that was opened with a line
break stays open, as do options on lines of their own; an `else` that began a line begins one; and
a blank line between the entries of a block stays.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelang.records import dataclass
from pipelang.syntax.format.document import (
    GAP,
    LINE,
    SOFT,
    Document,
    Group,
    Remarks,
    Space,
    group,
    indent,
    row,
    sentence,
    word,
)
from pipelang.syntax.format.leaf import Leaf
from pipelang.syntax.format.tree import Node

Lay = Callable[["Node | Leaf"], Document]
"""Layout of a child; handed in, because layout and pieces are made of each other."""


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """The layout of the entries of a block.

    `columns`: that many children of an entry make its first column. `alone`: several entries never
    stand on one line. `huddle`: entries may stand on one line inside braces that are open.
    """

    columns: int = 0
    alone: bool = False
    huddle: bool = False


_OPTIONS = BlockLayout(columns=1)
_LINES = BlockLayout(columns=1, alone=True)
_ITEMS = BlockLayout(alone=True)

LISTS: dict[str, BlockLayout] = {
    "names": BlockLayout(huddle=True),
    "fields": BlockLayout(columns=2),
    "provider_options": _OPTIONS,
    "tier_options": _OPTIONS,
    "role_options": _OPTIONS,
    "tool_options": _OPTIONS,
    "memory_options": _OPTIONS,
    "strings": BlockLayout(),
    "test_lines": _LINES,
    "items": _ITEMS,
    "slo_lines": _LINES,
    "traffic_lines": _ITEMS,
    "watch_lines": _LINES,
    "evidence_options": BlockLayout(columns=1, huddle=True),
    "item_arms": _ITEMS,
    "breaker_lines": _ITEMS,
    "arms": BlockLayout(columns=1),
}
"""Blocks whose entries are a rule of their own, by that rule."""

_OWNERS: dict[str, BlockLayout] = {
    "use_names": BlockLayout(huddle=True),
    "options_block": BlockLayout(columns=1, huddle=True),
    "each": BlockLayout(),
    "prompt_parts": _ITEMS,
}
"""Blocks whose entries stand right in the rule that has the braces, by that rule."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}
COMMA_LISTS = frozenset({"params", "args", "exprs", "record_fields", "names_comma"})
_RECORDS = frozenset({"record_expr", "type_map"})
_SNUG = frozenset({"type_list", "type_map", "index", "metric_of", "metric_key"})
_BRACKETED = frozenset(
    {"list_expr", "list_for", "call_for", "record_expr", "match_expr", "call_fn"}
)
_LONG = frozenset({"or_", "and_", "add", "subtract", "multiply", "divide", "if_expr"})
_WRAPPERS = frozenset({"arg_positional", "arg_named"})

CLAUSES: dict[str, frozenset[str]] = {
    "approve": frozenset({"when", "within", "showing"}),
    "hold": frozenset({"when", "showing"}),
    "redo": frozenset({"because"}),
    "slo_line": frozenset({"when"}),
    "watch_line": frozenset({"over"}),
    "claim_never": frozenset({"when"}),
    "claim_only_after": frozenset({"when"}),
    "agent": frozenset({"with"}),
    "cascade": frozenset({"until"}),
    "opt_cache": frozenset({"by"}),
    "comprehension": frozenset({"for", "if"}),
}
"""Words before which a line of such a rule may break."""


def pieces(rule: str, children: list[Node | Leaf], lay: Lay) -> list[Document]:
    """The children as documents, in order; brackets with what stands in them are one."""
    words = CLAUSES.get(rule, frozenset())
    done: list[Document] = []
    open_clause: list[Document] | None = None
    index = 0
    while index < len(children):
        child = children[index]
        current = done if open_clause is None else open_clause
        if isinstance(child, Leaf) and child.text in words:
            if open_clause is not None:
                done.append(clause(open_clause))
            open_clause = [word(child)]
        elif isinstance(child, Node) and child.rule in _LONG and _follows_equals(children, index):
            current.append(clause([lay(child)]))
        elif isinstance(child, Leaf) and child.text in _CLOSING:
            end = _closing(children, index)
            inside, closing = children[index + 1 : end], children[end]
            assert isinstance(closing, Leaf)
            if child.text == "{" and rule not in _RECORDS:
                current.append(block(rule, child, inside, closing, lay))
            else:
                current.append(brackets(rule, child, inside, closing, lay))
            index = end
        else:
            current.append(lay(child))
        index += 1
    if open_clause is not None:
        done.append(clause(open_clause))
    return done


def _follows_equals(children: list[Node | Leaf], index: int) -> bool:
    before = children[index - 1] if index else None
    return isinstance(before, Leaf) and before.text == "="


def clause(parts: list[Document]) -> Document:
    """A part of a sentence that goes to a line of its own if there is no room for it."""
    content = sentence(parts)
    if content.first is not None:
        content.first.tight_before = True  # the line break stands for the space
    return group(indent(row([LINE, content])))


def _closing(children: list[Node | Leaf], opening: int) -> int:
    opened = children[opening]
    assert isinstance(opened, Leaf)
    wanted = _CLOSING[opened.text]
    for index in range(opening + 1, len(children)):
        child = children[index]
        if isinstance(child, Leaf) and child.text == wanted:
            return index
    raise AssertionError("a rule has both brackets or none")


def _last_remarks(closing: Leaf, after_entries: bool) -> list[Document]:
    """The comments before a closing bracket, which belong to the inside."""
    remarks = closing.remarks
    if not remarks:
        return []
    closing.remarks, closing.opens_line = (), False
    return [GAP if closing.gap and after_entries else LINE, Remarks(remarks)]


def separated(children: list[Node | Leaf], lay: Lay) -> list[Document]:
    """Elements of a list, each with the comma behind it."""
    elements: list[Document] = []
    for child in children:
        if isinstance(child, Leaf) and child.text == ",":
            elements[-1] = row([elements[-1], word(child)])
        else:
            elements.append(lay(child))
    return elements


def fill(elements: list[Document]) -> Document:
    """A list without brackets: as many on a line as there is room for."""
    first, *others = elements
    return row([first, *(group(indent(row([LINE, other]))) for other in others)])


def brackets(
    rule: str, opening: Leaf, inside: list[Node | Leaf], closing: Leaf, lay: Lay
) -> Document:
    """A list in brackets: on one line, or an element a line."""
    if len(inside) == 1 and isinstance(inside[0], Node) and inside[0].rule in COMMA_LISTS:
        inside = inside[0].children
    if rule in _SNUG:
        inner = sentence(lay(child) for child in inside)
        return row([word(opening), inner, word(closing)])
    elements = separated(inside, lay)
    if len(elements) == 1 and not closing.remarks and _is_bracketed(inside[0]):
        whole = row([word(opening), elements[0], word(closing)])
        whole.closes = elements[0].closes
        return whole
    remarks = _last_remarks(closing, bool(elements))
    if not elements and not remarks:
        return row([word(opening), word(closing)])
    inner, opened = _huddled(elements, [LINE] * len(elements))
    body = indent(row([SOFT, inner, *remarks]) if elements else row(remarks))
    whole = row([word(opening), body, SOFT, word(closing)])
    return group(whole, forced=opened, closing=True)


def _huddled(entries: list[Document], before: list[Document]) -> tuple[Document, bool]:
    """Entries on one line if they fit on one, and whether the author had opened the bracket.

    If it was opened with a line break, a line break between two entries stands for one between
    each two.
    """
    breaks = [entry.first is not None and entry.first.breaks for entry in entries]
    opened = any(breaks[:1])
    lines = [part for pair in zip(before, entries, strict=True) for part in pair]
    return group(row(lines[1:]), forced=opened and any(breaks[1:])), opened


def _is_bracketed(child: Node | Leaf) -> bool:
    """Whether an only element brings brackets of its own, which are enough to break at."""
    while isinstance(child, Node) and child.rule in _WRAPPERS:
        child = child.children[-1]
    return isinstance(child, Node) and child.rule in _BRACKETED


def block(rule: str, opening: Leaf, inside: list[Node | Leaf], closing: Leaf, lay: Lay) -> Document:
    """Entries in braces: on one line if the author had them so and they fit, or opened."""
    style = _OWNERS.get(rule, _ITEMS)
    nodes: list[Node | Leaf] = []
    for child in inside:
        if isinstance(child, Node) and child.rule in LISTS:
            style = LISTS[child.rule]
            nodes += child.children
        else:
            nodes.append(child)
    entries = _entries(rule, nodes, style, lay)
    remarks = _last_remarks(closing, bool(entries))
    if not entries and not remarks:
        return row([word(opening), word(closing)])
    lines: list[Document] = [GAP if _gap_before(entry) else LINE for entry in entries]
    inner, opened = _huddled(entries, lines)
    if not style.huddle and isinstance(inner, Group):
        inner = inner.content
    forced = opened or (style.alone and len(entries) > 1)
    body = indent(row([LINE, inner, *remarks]))
    return group(row([word(opening), body, LINE, word(closing)]), forced=forced, closing=True)


def _entries(rule: str, nodes: list[Node | Leaf], style: BlockLayout, lay: Lay) -> list[Document]:
    if rule == "prompt_parts":  # `system TEMPLATE`, then the word `user` and its template
        return [*(lay(node) for node in nodes[:-2]), sentence(lay(node) for node in nodes[-2:])]
    if not style.columns:
        return [lay(node) for node in nodes]
    cells: list[tuple[Document, Document]] = []
    for node in nodes:
        assert isinstance(node, Node)
        parts = pieces(node.rule, node.children, lay)
        columns = style.columns + _has_outer_name(node)
        cells.append((sentence(parts[:columns]), sentence(parts[columns:])))
    done: list[Document] = []
    start = 0
    for index in range(1, len(cells) + 1):
        if index == len(cells) or _gap_before(cells[index][0]):
            done += _aligned(cells[start:index])
            start = index
    return done


def _has_outer_name(node: Node) -> bool:
    """Whether a field has a name for the outside, which stands before its colon."""
    second = node.children[1] if node.rule == "field" else None
    return isinstance(second, Leaf) and second.text != ":"


def _gap_before(document: Document) -> bool:
    return document.first is not None and document.first.gap


def _aligned(cells: list[tuple[Document, Document]]) -> list[Document]:
    """Rows whose second parts start in one column. A row of one part takes no part in it."""
    widths = [cell.width for cell, rest in cells if rest.first is not None]
    widest = max(widths, default=0)
    return [
        cell if rest.first is None else row([cell, Space(widest - cell.width + 1), rest])
        for cell, rest in cells
    ]
