"""Walks over trees: the fields that are passed over hold no nodes."""

from __future__ import annotations

from typing import Any

from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.features.nodes import children
from pipelang.syntax.parse import parse

from .prefixes import EXAMPLES


def by_definition(node: Any) -> list[Any]:
    """All that has a place and parts of its own, in any field."""
    held = [getattr(node, name) for name in node.__match_args__]
    flat = [one for part in held for one in (part if type(part) is tuple else (part,))]
    return [one for one in flat if hasattr(one, "span") and hasattr(one, "__match_args__")]


def test_children_are_all_nodes_right_inside():
    seen = set()
    for file in EXAMPLES:
        ahead: list[Any] = [parse(Source("a", file.read_text(encoding="utf-8"))).module]
        while ahead:
            node = ahead.pop()
            inside = by_definition(node)
            assert list(map(id, children(node))) == list(map(id, inside)), type(node)
            seen.add(type(node))
            ahead += inside
    assert len(seen) > 100
