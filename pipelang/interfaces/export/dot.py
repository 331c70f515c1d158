"""A graph in Graphviz' language."""

from __future__ import annotations

from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.export.graph import (
    BRANCHES,
    OUTCOMES,
    PEOPLE,
    Edge,
    EdgeKind,
    Graph,
    GraphNode,
    NodeKind,
)
from pipelang.interfaces.export.svg.style import LOOK, light

# Fonts whose widths Graphviz knows also where there are none, in a browser say.
_FONT = 'fontname="Helvetica,Arial,sans-serif"'

# With a length of 0 allowed, what stands aside comes on the rank of what it stands beside.
_STYLES = {
    EdgeKind.NEXT: {},
    EdgeKind.ELSE: {"style": "dashed", "color": "#9a6700", "minlen": "0"},
    EdgeKind.REDO: {"color": "#9a6700", "constraint": "false"},
}


def dot(graph: Graph) -> str:
    """The text of a digraph."""
    lines = [
        "digraph pipelang {",
        f"  graph [rankdir=TB, nodesep=0.4, ranksep=0.35, {_FONT}, fontsize=9]",
        f"  node [{_FONT}, fontsize=10, style=filled, shape=box]",
        f'  edge [{_FONT}, fontsize=9, color="#6e7781"]',
    ]
    for id in graph.pipelines:
        lines += _cluster(graph, id, 1)
    lines += [f"  {_edge(edge)}" for edge in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _cluster(graph: Graph, id: str, depth: int) -> list[str]:
    cluster, framed = graph.clusters[id], graph.framed(id)
    inside = depth + 1 if framed else depth
    lines = []
    for member in cluster.members:
        if member in graph.clusters:
            lines += _cluster(graph, member, inside)
        else:
            lines.append("  " * inside + _node(graph.nodes[member]))
    if not framed:
        return lines
    pad = "  " * depth
    look = _attributes({"label": cluster.title, "style": "rounded", "color": "#d0d7de"})
    return [f"{pad}subgraph cluster_{id} {{", f"{pad}  graph {look}", *lines, f"{pad}}}"]


def _node(node: GraphNode) -> str:
    fill, rim = light(LOOK[node.kind])
    attributes = {
        "label": "\n".join([node.title, *(part for line in node.lines for part in wrap(line, 40))]),
        "fillcolor": fill,
        "color": rim,
    }
    if node.kind in OUTCOMES or node.kind is NodeKind.INPUT:
        attributes["style"] = "rounded,filled"
    elif node.kind is NodeKind.GATE or node.kind in BRANCHES:
        attributes["shape"] = "diamond"
    elif node.kind in PEOPLE:
        attributes["peripheries"] = "2"
    elif node.kind is NodeKind.REMEMBER:
        attributes["shape"] = "cylinder"
    if node.kind is NodeKind.EFFECT:
        attributes["penwidth"] = "2"
    if node.fallback:
        attributes["style"] = "filled,dashed"
    if node.doc:
        attributes["tooltip"] = node.doc
    return f"{node.id} {_attributes(attributes)}"


def _edge(edge: Edge) -> str:
    attributes = dict(_STYLES[edge.kind])
    if edge.label:
        attributes["label"] = edge.label
    text = f"{edge.source} -> {edge.target}"
    return f"{text} {_attributes(attributes)}" if attributes else text


def _attributes(attributes: dict[str, str]) -> str:
    return "[" + ", ".join(f"{name}={_quoted(value)}" for name, value in attributes.items()) + "]"


def _quoted(text: str) -> str:
    r"""A quoted text. A backslash is doubled: `\N` and the like stand for something in labels."""
    shown = "".join(letter for letter in text if letter == "\n" or letter.isprintable())
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
