"""A directed graph with attributes, read as one of networkx is, which takes longer to load than a
report to be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

Attributes = dict[str, Any]


class ReadableGraph(Protocol):
    """The part of a graph that pictures are made of: one of ours, or one of networkx."""

    def __iter__(self) -> Iterator[str]:
        """The ids of the nodes, in writing order."""

    @property
    def nodes(self) -> Mapping[str, Attributes]:
        """The attributes of nodes by their ids."""

    def edges(self, data: bool) -> Iterable[tuple[str, str, Attributes]]:
        """Edges by their source, each with its target and its attributes."""


class FlowGraph:
    """Nodes and edges in the order in which they were added. `graph` are its own attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.graph: Attributes = attributes
        self.nodes: dict[str, Attributes] = {}
        self.adjacent: dict[str, dict[str, Attributes]] = {}
        self._edges = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def __contains__(self, id: str) -> bool:
        return id in self.nodes

    def add_node(self, id: str, **attributes: Any) -> None:
        """Add a node that is not there yet."""
        self.nodes[id] = attributes
        self.adjacent[id] = {}

    def add_edge(self, source: str, target: str, **attributes: Any) -> None:
        """Add an edge that is not there yet, with its number as `order`."""
        self.adjacent[source][target] = {**attributes, "order": self._edges}
        self._edges += 1

    def edge(self, source: str, target: str) -> Attributes | None:
        """The attributes of an edge, None if there is none."""
        return self.adjacent[source].get(target)

    def edges(self, data: bool = True) -> list[tuple[str, str, Attributes]]:
        """Edges by their source, each with its target and its attributes."""
        return [(a, b, edge) for a, those in self.adjacent.items() for b, edge in those.items()]
