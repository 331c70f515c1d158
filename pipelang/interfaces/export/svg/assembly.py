"""Division of a graph into the parts of its picture: rows, frames around regions, forks."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.interfaces.export.graph import (
    BRANCHES,
    Cluster,
    ClusterKind,
    EdgeKind,
    Graph,
)
from pipelang.interfaces.export.svg.layers import Layers
from pipelang.interfaces.export.svg.parts import Fork, NodeRow, Part, PartColumn

Trails = dict[str, tuple[Part, ...]]
"""For every node the parts that it stands in, outermost first; the last one is its row."""


def assembly(graph: Graph) -> tuple[list[PartColumn], Trails]:
    """The picture of a graph, a column for each pipeline, and the trails of its nodes."""
    aside = {edge.target for edge in graph.aside.values()}
    lines = [_line(graph, graph.clusters[cluster], aside) for cluster in graph.pipelines]
    trails: Trails = {}
    for line in lines:
        _trace(line, (), trails)
    return lines, trails


def _line(graph: Graph, cluster: Cluster, aside: set[str]) -> PartColumn:
    """The parts of a cluster, one below the other. A node that stands aside belongs to its row."""
    parts: list[Part] = []
    members = [member for member in cluster.members if member not in aside]
    for index, member in enumerate(members):
        inner = graph.clusters.get(member)
        if inner is not None and inner.kind is ClusterKind.REGION:
            rows = [NodeRow(graph, node) for node in inner.members if node not in aside]
            # A region of one step needs no frame: nothing in it could stand side by side.
            parts.append(Layers(graph, rows) if len(rows) > 1 else rows[0])
        elif inner is not None:
            pass  # a branch, which is a column of the fork above it
        elif graph.nodes[member].kind in BRANCHES:
            parts.append(_fork(graph, member, members[index + 1 :], aside))
        else:
            parts.append(NodeRow(graph, member))
    redos = [edge for edge in graph.edges if edge.kind is EdgeKind.REDO and edge.source in members]
    return PartColumn(parts, redos)


def _fork(graph: Graph, node: str, after: Sequence[str], aside: set[str]) -> Fork:
    columns = []
    inside: frozenset[str] = frozenset()
    for member in after:
        inner = graph.clusters.get(member)
        if inner is None or inner.kind is not ClusterKind.BRANCH:
            break
        columns.append((_line(graph, inner, aside), inner.title))
        inside |= graph.inside(member)
    straight = any(
        edge.source == node and edge.target not in inside
        for edge in graph.edges
        if edge.kind is EdgeKind.NEXT
    )
    return Fork(NodeRow(graph, node), columns, straight or not columns)


def _trace(part: Part, trail: tuple[Part, ...], trails: Trails) -> None:
    trail = (*trail, part)
    if isinstance(part, NodeRow):
        trails.update((box.node.id, trail) for box in part.chain)
    for inner in part.inner():
        _trace(inner, trail, trails)
