"""The graph of pipelines as files that other programs read: GraphML and node-link JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx


def graphml(graph: nx.DiGraph) -> str:
    """GraphML, which Gephi, yEd, igraph and `networkx.read_graphml` read."""
    import networkx as nx

    return "\n".join(nx.generate_graphml(graph)) + "\n"


def node_link(graph: nx.DiGraph) -> dict[str, Any]:
    """Node-link data, which D3 and `networkx.node_link_graph(data, edges="edges")` read.

    Written here, since versions of networkx differ in how they call the edges.
    """
    return {
        "directed": True,
        "multigraph": False,
        "graph": dict(graph.graph),
        "nodes": [{"id": id, **node} for id, node in graph.nodes.items()],
        "edges": [
            {"source": source, "target": target, **edge}
            for source, target, edge in graph.edges(data=True)
        ],
    }
