"""The concrete tree: every token of a file, under the rules that it was read by.

The parser notes how it read a file (`Parsed.derivation`), and this plays it back. Nodes are
handed out children first, so that whoever lays them out needs no recursion.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelang.records import dataclass
from pipelang.syntax.format.document import Document
from pipelang.syntax.format.leaf import Leaf
from pipelang.syntax.tables import tables


@dataclass(slots=True, eq=False)
class Node:
    """A rule's alias or name and what it was made of; `document` is how it is laid out."""

    rule: str
    children: list[Node | Leaf]
    document: Document | None = None


def grow(derivation: list[int], found: list[Leaf], finish: Callable[[Node], None]) -> Node:
    """The tree of a derivation over its leaves; `finish` is called on every node once."""
    rules = tables().rules
    stack: list[Node | Leaf] = []
    upcoming = iter(found)
    for entry in derivation:
        if entry < 0:
            stack.append(next(upcoming))
            continue
        rule = rules[entry]
        length = rule.length
        if rule.passthrough and length == 1:
            continue
        taken = stack[len(stack) - length :]
        del stack[len(stack) - length :]
        if rule.builder.startswith("__"):
            stack.append(_gathered(rule.builder, taken))
            continue
        node = Node(rule.builder, _spliced(taken))
        finish(node)
        stack.append(node)
    (root,) = stack
    assert isinstance(root, Node)
    return root


def _gathered(name: str, taken: list[Node | Leaf]) -> Node:
    """The children of a `*` or `+` so far; the list grows in place."""
    head = taken[0]
    if isinstance(head, Node) and head.rule == name:
        head.children.extend(taken[1:])
        return head
    return Node(name, taken)


def _spliced(taken: list[Node | Leaf]) -> list[Node | Leaf]:
    children: list[Node | Leaf] = []
    for child in taken:
        if isinstance(child, Node) and child.rule.startswith("__"):
            children.extend(child.children)
        else:
            children.append(child)
    return children
