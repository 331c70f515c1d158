"""The graph of pipelines as pictures need it: typed nodes, edges and clusters, without any layout.

`picture` reads it off the graph that `pipelang.graph` gives, which has all that pictures show.
The main line is what happens when all goes well: `NEXT` edges, in the order of regions and
barriers. An `ELSE` edge leads aside, to the next link of a chain and at last to an outcome; a
`REDO` edge leads back. Clusters hold nodes and clusters in writing order: a pipeline, a region
(whose steps start as soon as what they read is there), a branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from pipelang.interfaces.export.flow_graph import ReadableGraph
from pipelang.records import dataclass


class NodeKind(Enum):
    INPUT = "input"
    ASK = "ask"
    ASK_PERSON = "ask a person"
    CALL = "call"
    EFFECT = "effect"
    VALUE = "value"
    OTHER = "action"
    GATE = "gate"
    APPROVE = "approve"
    HOLD = "hold"
    WHEN = "when"
    MATCH = "match"
    REMEMBER = "remember"
    ANSWERED = "answered"
    ESCALATED = "escalated"
    REJECTED = "rejected"
    FAILED = "failed"


OUTCOMES = frozenset({NodeKind.ANSWERED, NodeKind.ESCALATED, NodeKind.REJECTED, NodeKind.FAILED})
BRANCHES = frozenset({NodeKind.WHEN, NodeKind.MATCH})
PEOPLE = frozenset({NodeKind.ASK_PERSON, NodeKind.APPROVE, NodeKind.HOLD})


class EdgeKind(Enum):
    NEXT = "next"
    ELSE = "else"
    REDO = "redo"


class ClusterKind(Enum):
    PIPELINE = "pipeline"
    REGION = "region"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class GraphNode:
    """`name` is what the file calls it, or nothing; `title` and `lines` say what it is and does.

    `doc` is the comment that stands over it.
    """

    id: str
    kind: NodeKind
    name: str
    title: str
    lines: tuple[str, ...] = ()
    doc: str | None = None
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    kind: EdgeKind
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """`members` are the ids of its nodes and clusters. A branch follows the node that it is of."""

    id: str
    kind: ClusterKind
    title: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and clusters by id, in writing order; `pipelines` are the outermost clusters.

    `aside` has the `ELSE` edge of every node that has one: there is never more than one.
    """

    nodes: Mapping[str, GraphNode]
    edges: tuple[Edge, ...]
    clusters: Mapping[str, Cluster]
    pipelines: tuple[str, ...]
    aside: Mapping[str, Edge]

    def inside(self, cluster: str) -> frozenset[str]:
        """The nodes in a cluster and in the clusters in it."""
        found: frozenset[str] = frozenset()
        for member in self.clusters[cluster].members:
            found |= self.inside(member) if member in self.clusters else {member}
        return found

    def framed(self, cluster: str) -> bool:
        """Whether a cluster has a frame: it has several steps, or there are several pipelines."""
        match self.clusters[cluster].kind:
            case ClusterKind.PIPELINE:
                return len(self.pipelines) > 1
            case ClusterKind.REGION:
                aside = {edge.target for edge in self.aside.values()}
                return len(set(self.clusters[cluster].members) - aside) > 1
            case ClusterKind.BRANCH:
                return False


def picture(flow: ReadableGraph) -> Graph:
    """The graph with short ids (`n1`, `c1`) in writing order, and with its clusters.

    Readers of GraphML leave out attributes that are empty, so what is not there counts as empty.
    """
    ids = {id: f"n{number}" for number, id in enumerate(flow, start=1)}
    nodes: dict[str, GraphNode] = {}
    clusters: dict[tuple[str, ...], tuple[str, ClusterKind, str, list[str]]] = {}
    outermost: list[str] = []

    def cluster(
        key: tuple[str, ...], kind: ClusterKind, title: str, around: list[str]
    ) -> list[str]:
        """The members of a cluster, which is added to those of the one around it."""
        if key not in clusters:
            clusters[key] = (f"c{len(clusters) + 1}", kind, title, [])
            around.append(clusters[key][0])
        return clusters[key][3]

    def arm(pipeline: str, branch: str, title: str) -> list[str]:
        """The members of an arm of a branch, or of a pipeline outside any branch."""
        if not branch:
            return cluster((pipeline,), ClusterKind.PIPELINE, pipeline, outermost)
        of = flow.nodes[branch]
        around = arm(pipeline, of.get("branch", ""), of.get("arm", ""))
        return cluster((pipeline, branch, title), ClusterKind.BRANCH, title, around)

    for id, node in flow.nodes.items():
        members = arm(node["pipeline"], node.get("branch", ""), node.get("arm", ""))
        if node.get("region"):
            key = (node["pipeline"], node["region"])
            members = cluster(key, ClusterKind.REGION, "region", members)
        members.append(ids[id])
        nodes[ids[id]] = GraphNode(
            ids[id],
            NodeKind(node["kind"]),
            node.get("name", ""),
            node["label"],
            tuple(node["detail"].split("\n")) if node.get("detail") else (),
            node.get("doc") or None,
            node["fallback"],
        )
    edges = [
        Edge(ids[source], ids[target], EdgeKind(edge["kind"]), label)
        for source, target, edge in sorted(flow.edges(data=True), key=lambda one: one[2]["order"])
        for label in edge.get("label", "").split("\n")
    ]
    found = {id: Cluster(id, kind, title, tuple(of)) for id, kind, title, of in clusters.values()}
    aside = {edge.source: edge for edge in edges if edge.kind is EdgeKind.ELSE}
    return Graph(nodes, tuple(edges), found, tuple(outermost), aside)
