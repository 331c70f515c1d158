"""Walks over the nodes of a syntax tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def children(node: Any) -> list[Any]:
    """The nodes right inside a node of the syntax tree."""
    found: list[Any] = []
    for name in _parts(type(node)):
        part = getattr(node, name, None)
        if type(part) is tuple:
            found += [one for one in part if _is_node(type(one))]
        elif _is_node(type(part)):
            found.append(part)
    return found


def _parts(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a class that may hold nodes: looked for once a class. A place or a text holds
    none, and is what most fields are.
    """
    known = _PARTS.get(kind)
    if known is None:
        types = getattr(kind, "__annotations__", {})
        names = getattr(kind, "__match_args__", ())
        known = _PARTS[kind] = tuple(name for name in names if types.get(name) not in _LEAVES)
    return known


_LEAVES = frozenset({"Span", "Span | None", "bool", "int", "str", "str | None"})
_PARTS: dict[type[Any], tuple[str, ...]] = {}


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
