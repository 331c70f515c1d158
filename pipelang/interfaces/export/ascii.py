"""A graph as a tree of lines for terminals, in box-drawing characters.

The main line runs down the left; what leads aside from a node stands below it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.diagnostics.columns import cells_of, wrap
from pipelang.interfaces.export.graph import (
    BRANCHES,
    OUTCOMES,
    PEOPLE,
    ClusterKind,
    Edge,
    EdgeKind,
    Graph,
    GraphNode,
    NodeKind,
)
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.table import cut
from pipelang.records import dataclass

LONGEST_TITLE = 28
_STYLES = {
    NodeKind.ANSWERED: "good",
    NodeKind.ESCALATED: "people",
    NodeKind.REJECTED: "dim",
    NodeKind.FAILED: "bad",
    NodeKind.EFFECT: "unsure",
}


@dataclass(frozen=True, slots=True)
class Canvas:
    """The graph and the layout that every line needs: for a node, `below` has its `NEXT` edges,
    `after` the names that it waits for in its region, `redo` its way back.
    """

    graph: Graph
    width: int
    paint: Paint
    below: dict[str, list[Edge]]
    after: dict[str, list[str]]
    redo: dict[str, Edge]


def ascii(graph: Graph, width: int, paint: Paint) -> str:
    """The pipelines of a graph, one below the other."""
    below: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        if edge.kind is EdgeKind.NEXT:
            below.setdefault(edge.source, []).append(edge)
    redo = {edge.source: edge for edge in graph.edges if edge.kind is EdgeKind.REDO}
    page = Canvas(graph, width, paint, below, _read_in_regions(graph), redo)
    pictures = []
    for id in graph.pipelines:
        lines = _stack(page, graph.clusters[id].members, "", roomy=True)
        pictures.append("\n".join(line.rstrip() for line in lines))
    return "\n\n".join(pictures) + "\n"


def _read_in_regions(graph: Graph) -> dict[str, list[str]]:
    """For nodes of regions, the names of the steps there that they wait for."""
    result: dict[str, list[str]] = {}
    for cluster in graph.clusters.values():
        if cluster.kind is ClusterKind.REGION:
            inside = set(cluster.members)
            for edge in graph.edges:
                if edge.kind is EdgeKind.NEXT and {edge.source, edge.target} <= inside:
                    name = graph.nodes[edge.source].name
                    names = result.setdefault(edge.target, [])
                    if name not in names:
                        names.append(name)
    return result


def _stack(page: Canvas, members: Sequence[str], bars: str, roomy: bool) -> list[str]:
    """The lines of a cluster, from top to bottom; `bars` lead every line."""
    graph = page.graph
    aside = {edge.target for edge in graph.aside.values()}
    shown = [m for m in members if m not in aside]
    shown = [m for m in shown if m in graph.nodes or graph.clusters[m].kind is ClusterKind.REGION]
    lines: list[str] = []
    for number, member in enumerate(shown):
        last = number == len(shown) - 1
        stem = bars + ("  " if last else "│ ")
        if member in graph.clusters:
            lines += _region(page, member, bars, stem)
        else:
            lines += _node(page, member, bars, stem)
            if graph.nodes[member].kind in BRANCHES:
                lines += _arms(page, member, members, bars)
        if roomy and not last:
            lines.append(f"{bars}│")
    return lines


def _region(page: Canvas, id: str, bars: str, stem: str) -> list[str]:
    """The steps of a region; a region of one step is that step."""
    graph = page.graph
    members = graph.clusters[id].members
    aside = {edge.target for edge in graph.aside.values()}
    if not graph.framed(id):
        return _node(page, members[0], bars, stem)
    lines = [f"{bars}┢━ {page.paint('region', 'dim')}"]
    for member in members:
        if member not in aside:
            lines += _node(page, member, f"{bars}┃  ", f"{bars}┃    ")
    return [*lines, f"{bars}┡━"]


def _arms(page: Canvas, node: str, members: Sequence[str], bars: str) -> list[str]:
    graph = page.graph
    lines = []
    arms = iter(members[list(members).index(node) + 1 :])
    inside: set[str] = set()
    for member in arms:
        cluster = graph.clusters.get(member)
        if cluster is None or cluster.kind is not ClusterKind.BRANCH:
            break
        lines.append(f"{bars}├─ {page.paint(cluster.title, 'heading')}")
        lines += _stack(page, cluster.members, f"{bars}│  ", roomy=False)
        inside |= graph.inside(member)
    for edge in page.below.get(node, []):
        if edge.target not in inside:
            lines.append(f"{bars}├─ {page.paint(edge.label, 'heading')}: goes on")
            break
    return lines


def _node(page: Canvas, id: str, bars: str, stem: str) -> list[str]:
    node = page.graph.nodes[id]
    style = _STYLES.get(node.kind, "heading")
    head = f"{bars}{_mark(node)} "
    words = "; ".join(node.lines)
    if page.after.get(id):
        words += f"; after {', '.join(page.after[id])}"
    lines = _hanging(page, head, node.title, style, words, stem)
    if node.doc:
        for line in wrap(" ".join(node.doc.split()), page.width - cells_of(stem) - 4):
            lines.append(f"{stem}  {page.paint(f'# {line}', 'dim')}")
    if id in page.redo:
        edge = page.redo[id]
        lines.append(
            f"{stem}  {page.paint(edge.label, 'unsure')} ─▶ {page.graph.nodes[edge.target].name}"
        )
    while (aside := page.graph.aside.get(id)) is not None:
        id = aside.target
        there = page.graph.nodes[id]
        arrow = f"{stem}  {aside.label} ─▶ "
        words = "; ".join(there.lines)
        if there.kind in OUTCOMES:
            lines += _hanging(page, arrow, there.title, _STYLES[there.kind], words, stem)
        else:
            lines += _hanging(page, arrow, "", "", words, stem)
    return lines


def _hanging(page: Canvas, head: str, title: str, style: str, words: str, stem: str) -> list[str]:
    """A head with a title and words, the words wrapped below where they began."""
    title = cut(title, LONGEST_TITLE + 20)
    gap = "  " if title and words else ""
    column = cells_of(head) + cells_of(title) + len(gap)
    room = page.width - column
    if room < 30:
        column = cells_of(stem) + 4
        first = [f"{head}{page.paint(title, style)}"]
        return first + [stem.ljust(column) + line for line in wrap(words, page.width - column)]
    parts = wrap(words, room) or [""]
    lines = [f"{head}{page.paint(title, style)}{gap}{parts[0]}"]
    return lines + [stem + " " * (column - cells_of(stem)) + part for part in parts[1:]]


def _mark(node: GraphNode) -> str:
    if node.kind is NodeKind.GATE or node.kind in BRANCHES:
        return "◇"
    if node.kind in PEOPLE:
        return "☺"
    if node.kind in OUTCOMES:
        return "▶"
    if node.kind in (NodeKind.EFFECT, NodeKind.REMEMBER):
        return "■"
    return "○" if node.kind is NodeKind.VALUE else "●"
