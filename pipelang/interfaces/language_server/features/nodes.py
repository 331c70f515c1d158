"""Walks over the nodes of a syntax tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def children(node: Any) -> list[Any]:
    """The nodes right inside a node of the syntax tree."""
    found: list[Any] = []
    for name in getattr(node, "__match_args__", ()):
        part = getattr(node, name, None)
        if type(part) is tuple:
            found += [one for one in part if _is_node(type(one))]
        elif _is_node(type(part)):
            found.append(part)
    return found


def _is_node(kind: type[Any]) -> bool:
    """Whether objects of a class are nodes of the tree: asked once a class."""
    known = _NODES.get(kind)
    if known is None:
        known = hasattr(kind, "__match_args__") and hasattr(kind, "span")
        _NODES[kind] = known
    return known


_NODES: dict[type[Any], bool] = {}


def walk(node: Any) -> Iterator[Any]:
    """A node and all nodes inside it."""
    ahead = [node]
    while ahead:
        one = ahead.pop()
        yield one
        ahead += children(one)
