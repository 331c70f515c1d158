"""A graph as a mermaid flowchart, for READMEs and wikis that draw it themselves."""

from __future__ import annotations

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

_ARROWS = {EdgeKind.NEXT: "-->", EdgeKind.ELSE: "-.->", EdgeKind.REDO: "==>"}


def mermaid(graph: Graph) -> str:
    """The text of a flowchart, top down."""
    lines = ["flowchart TB"]
    for id in graph.pipelines:
        lines += _cluster(graph, id, 1)
    lines += [f"  {_edge(edge)}" for edge in graph.edges]
    looks: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        looks.setdefault(LOOK[node.kind], []).append(node.id)
    for look, nodes in sorted(looks.items()):
        fill, rim = light(look)
        # A class cannot be called `call`, which is a word of mermaid's.
        lines.append(f"  classDef is_{look} fill:{fill},stroke:{rim},color:#1f2328")
        lines.append(f"  class {','.join(nodes)} is_{look}")
    fallbacks = [node.id for node in graph.nodes.values() if node.fallback]
    if fallbacks:
        lines.append("  classDef is_fallback stroke-dasharray:5 3")
        lines.append(f"  class {','.join(fallbacks)} is_fallback")
    return "\n".join(lines) + "\n"


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
    head = [f'{pad}subgraph {id}["{_text(cluster.title)}"]', f"{pad}  direction TB"]
    return [*head, *lines, f"{pad}end", f"{pad}style {id} fill:none,stroke:#8b949e"]


def _node(node: GraphNode) -> str:
    words = "<br/>".join(_text(part) for part in (node.title, *node.lines))
    if node.kind in OUTCOMES or node.kind is NodeKind.INPUT:
        opening, closing = "([", "])"
    elif node.kind is NodeKind.GATE or node.kind in BRANCHES:
        opening, closing = "{", "}"
    elif node.kind in PEOPLE:
        opening, closing = "{{", "}}"
    elif node.kind is NodeKind.REMEMBER:
        opening, closing = "[(", ")]"
    else:
        opening, closing = "[", "]"
    return f'{node.id}{opening}"{words}"{closing}'


def _edge(edge: Edge) -> str:
    label = f'|"{_text(edge.label)}"|' if edge.label else ""
    return f"{edge.source} {_ARROWS[edge.kind]}{label} {edge.target}"


def _text(text: str) -> str:
    """Text inside double quotes: all but letters, digits and harmless signs as references.

    Mermaid works on the text before it parses it, also inside quotes: `style ...:...#...;` loses
    its last letter, so these words get a reference too; a backslash before an `n` ends the line and
    two dollars begin a formula, so a word joiner (U+2060) parts them.
    """
    escaped = "".join(
        letter if letter.isalnum() or letter in " _.,:()=+-/?!'→…" else f"#{ord(letter)};"
        for letter in " ".join(text.split())
        if letter.isprintable()
    )
    for word in ("style", "classDef"):
        escaped = escaped.replace(word, f"{word[:-1]}#{ord(word[-1])};")
    return escaped.replace("#92;", "#92;#8288;").replace("#36;#36;", "#36;#8288;#36;")
