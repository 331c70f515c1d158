"""Layout of chains: where an `else` stands.

It follows the `}` of a block that stands open. It begins a line, one level deeper than its
construct, if the author had it so or the whole does not fit on one line; then what the construct
begins with stands one level deeper too, so that every `else` is seen to belong to it. Otherwise
all stands on one line.
"""

from __future__ import annotations

from pipelang.syntax.format.document import (
    LINE,
    SPACE,
    Document,
    Group,
    group,
    indent,
    row,
    sentence,
    word,
)
from pipelang.syntax.format.leaf import Leaf
from pipelang.syntax.format.pieces import Lay, pieces
from pipelang.syntax.format.tree import Node

Alternative = tuple[Leaf, Document]
"""The word `else` and what comes after it."""


def chain(node: Node, lay: Lay) -> Document:
    """Links of a chain that stands by itself, in the braces of `each`."""
    first, others = _links(node, lay)
    return _with_alternatives(first, others)


def step(node: Node, lay: Lay) -> Document:
    """`step NAME: TYPE = ACTION else ... else OUTCOME`."""
    *words, last = node.children
    assert isinstance(last, Node)
    first, others = _links(last, lay)
    head = sentence([*pieces(node.rule, words, lay), first])
    return _with_alternatives(head, others)


def breaker(node: Node, lay: Lay) -> Document:
    """`breaker { ... } else ACTION else ...`, or `else OUTCOME`."""
    *words, otherwise, last = node.children
    assert isinstance(otherwise, Leaf)
    assert isinstance(last, Node)
    first, others = _links(last, lay)
    head = sentence(pieces(node.rule, words, lay))
    return _with_alternatives(head, [(otherwise, first), *others])


def guarded(node: Node, lay: Lay) -> Document:
    """Items that end with `else OUTCOME`, or with `else redo STEP ... else OUTCOME`."""
    words, others = _split(node, lay)
    return _with_alternatives(sentence(pieces(node.rule, words, lay)), others)


def when(node: Node, lay: Lay) -> Document:
    """Both branches stand open, or both on one line."""
    last = node.children[-1]
    if not isinstance(last, Node):
        return sentence(pieces(node.rule, node.children, lay))
    *words, then = pieces(node.rule, node.children[:-1], lay)
    otherwise, items = pieces(last.rule, last.children, lay)
    whole = sentence([*words, _ungrouped(then), otherwise, _ungrouped(items)])
    return group(whole, forced=then.forced or items.forced, closing=True)


def _ungrouped(document: Document) -> Document:
    return document.content if isinstance(document, Group) else document


def _split(node: Node, lay: Lay) -> tuple[list[Node | Leaf], list[Alternative]]:
    """Parts of a rule before its `else`, and behind it."""
    children = node.children
    if len(children) < 2:
        return children, []
    *words, otherwise, last = children
    if not isinstance(otherwise, Leaf) or otherwise.text != "else":
        return children, []
    if isinstance(last, Node) and last.rule == "redo":
        inner, others = _split(last, lay)
        return words, [(otherwise, sentence(pieces(last.rule, inner, lay))), *others]
    return words, [(otherwise, lay(last))]


def _links(node: Node, lay: Lay) -> tuple[Document, list[Alternative]]:
    """The first link of a chain and the others. Chains are left-recursive: `(a else b) else c`."""
    others: list[Alternative] = []
    at: Node | Leaf = node
    while isinstance(at, Node) and at.rule in _CHAINS:
        if len(at.children) == 3:
            otherwise, last = at.children[1:]
            assert isinstance(otherwise, Leaf)
            others.append((otherwise, lay(last)))
        at = at.children[0]
    others.reverse()
    return lay(at), others


_CHAINS = frozenset({"chain_open", "chain_closed", "links_first", "links_more"})


def _with_alternatives(head: Document, others: list[Alternative]) -> Document:
    if not others:
        return head
    documents = [sentence([word(otherwise), document]) for otherwise, document in others]
    breaks = [otherwise.breaks for otherwise, _ in others]
    if not head.closes or breaks[0]:
        lines = (part for document in documents for part in (LINE, document))
        return group(indent(row([head, *lines])), forced=any(breaks))
    parts = [head, SPACE, documents[0]]
    following = True
    for index in range(1, len(documents)):
        following = following and documents[index - 1].closes and not breaks[index]
        if following:
            parts += [SPACE, documents[index]]
        else:
            parts.append(indent(row([LINE, documents[index]])))
    return group(row(parts), forced=True)
