"""A program's pipelines to a graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, assert_never

from pipelang.diagnostics.columns import harmless
from pipelang.interfaces.export.graph import (
    Cluster,
    ClusterKind,
    Edge,
    EdgeKind,
    Graph,
    GraphNode,
    NodeKind,
)
from pipelang.interfaces.export.labels import (
    action_lines,
    budget_words,
    outcome_label,
    person_lines,
    signature,
    values_of,
    words_of,
)
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import can_be_used_up, ending, reached_links
from pipelang.semantics.types import NothingType, show


class Loose(NamedTuple):
    """An edge that has no target yet."""

    source: str
    label: str = ""


def flow(program: p.Program, pipelines: Sequence[str]) -> Graph:
    """The graph of some pipelines of a program."""
    drawing = _Drawing(program)
    for name in pipelines:
        drawing.pipeline(program.pipelines[name])
    clusters = {
        id: Cluster(id, kind, title, tuple(members))
        for id, (kind, title, members) in drawing.clusters.items()
    }
    aside = {edge.source: edge for edge in drawing.edges if edge.kind is EdgeKind.ELSE}
    edges, outermost = tuple(drawing.edges), tuple(drawing.outermost)
    return Graph(drawing.nodes, edges, clusters, outermost, aside)


class _Drawing:
    """Nodes and edges as they come; `inside` is the cluster that the next ones belong to."""

    def __init__(self, program: p.Program) -> None:
        self.program = program
        self.nodes: dict[str, GraphNode] = {}
        self.edges: list[Edge] = []
        self.clusters: dict[str, tuple[ClusterKind, str, list[str]]] = {}
        self.outermost: list[str] = []
        self.inside: list[str] = []
        self.steps: dict[str, str] = {}

    # ----------------------------------------------------------------------------- parts

    def node(
        self,
        kind: NodeKind,
        name: str,
        title: str,
        lines: tuple[str, ...] = (),
        doc: str | None = None,
        fallback: bool = False,
    ) -> str:
        id = f"n{len(self.nodes) + 1}"
        lines = tuple(harmless(line) for line in lines)
        said = None if doc is None else harmless(doc)
        self.nodes[id] = GraphNode(id, kind, name, title, lines, said, fallback)
        self.inside.append(id)
        return id

    def edge(self, source: str, target: str, kind: EdgeKind, label: str = "") -> None:
        self.edges.append(Edge(source, target, kind, label))

    def connect(self, loose: Sequence[Loose], target: str) -> None:
        for end in loose:
            self.edge(end.source, target, EdgeKind.NEXT, end.label)

    @contextmanager
    def cluster(self, kind: ClusterKind, title: str) -> Iterator[str]:
        id = f"c{len(self.clusters) + 1}"
        members: list[str] = []
        self.clusters[id] = (kind, title, members)
        around, self.inside = self.inside, members
        yield id
        self.inside = around
        if kind is not ClusterKind.PIPELINE:
            around.append(id)

    def outcome(self, outcome: p.Outcome) -> str:
        title, lines = outcome_label(outcome)
        name = "" if isinstance(outcome, p.Return) else outcome.reason
        return self.node(_outcome_kind(outcome), name, title, lines)

    # ------------------------------------------------------------------------- pipelines

    def pipeline(self, pipeline: p.Pipeline) -> None:
        self.steps = {}
        with self.cluster(ClusterKind.PIPELINE, pipeline.name) as id:
            self.outermost.append(id)
            lines = signature(pipeline)
            budget = pipeline.budget
            if budget is not None:
                lines = (*lines, budget_words(budget))
            top = self.node(NodeKind.INPUT, pipeline.name, pipeline.name, lines, pipeline.doc)
            if budget is not None and budget.otherwise is not None:
                self.edge(top, self.outcome(budget.otherwise), EdgeKind.ELSE, "spent")
            self.block(pipeline.block, [Loose(top)])

    def block(self, block: p.Block, loose: list[Loose]) -> list[Loose]:
        """The items of a block, after what leads to it; what leads out of it."""
        for segment in block.segments:
            match segment:
                case p.Region():
                    items = [block.items[index] for index in segment.members]
                    loose = self.region(items, loose)
                case p.Barrier():
                    loose = self.barrier(block.items[segment.index], loose)
                case _:
                    assert_never(segment)
        return loose

    def region(self, items: Sequence[p.Item], loose: list[Loose]) -> list[Loose]:
        """Each step after those of the region that it reads, unless another leads there anyway."""
        before: dict[str, set[str]] = {}
        ends: dict[str, list[Loose]] = {}
        read: set[str] = set()
        with self.cluster(ClusterKind.REGION, "region"):
            for item in items:
                assert isinstance(item, (p.Step, p.Let))
                needs = [name for name in ends if name in item.reads]
                direct = [
                    name for name in needs if not any(name in before[other] for other in needs)
                ]
                before[item.name] = set(needs).union(*(before[name] for name in needs))
                read |= set(direct)
                start = [end for name in direct for end in ends[name]] if direct else loose
                ends[item.name] = self.made(item, start)
        return [end for name, out in ends.items() if name not in read for end in out]

    def made(self, item: p.Step | p.Let, loose: list[Loose]) -> list[Loose]:
        """A step with its chain, or a let."""
        match item:
            case p.Let():
                id = self.node(NodeKind.VALUE, item.name, item.name, (words_of(item.value),))
                self.connect(loose, id)
                return [Loose(id)]
            case p.Step():
                return self.step(item, loose)
            case _:
                assert_never(item)

    def step(self, step: p.Step, loose: list[Loose]) -> list[Loose]:
        links = reached_links(step.chain, self.program.pure)
        ids: list[str] = []
        for position, link in enumerate(links):
            title = f"{step.name}, else" if position else _heading(step)
            lines = action_lines(self.program, link)
            doc = step.doc if position == 0 else None
            kind = _action_kind(self.program, link.action)
            ids.append(self.node(kind, step.name, title, lines, doc, fallback=position > 0))
            if position:
                self.edge(ids[-2], ids[-1], EdgeKind.ELSE, "else")
        self.connect(loose, ids[0])
        self.steps[step.name] = ids[0]
        if can_be_used_up(step.chain, self.program.pure):
            self.edge(ids[-1], self.outcome(ending(step.chain, step)), EdgeKind.ELSE, "else")
        return [Loose(id) for id in ids]

    # -------------------------------------------------------------------------- barriers

    def barrier(self, item: p.Item, loose: list[Loose]) -> list[Loose]:
        match item:
            case p.Step() | p.Let():
                return self.made(item, loose)
            case p.Gate():
                return self.gate(item, loose)
            case p.Person():
                kind = NodeKind.HOLD if item.kind == "hold" else NodeKind.APPROVE
                title = f"{item.kind} {item.name}"
                id = self.node(kind, item.name, title, person_lines(item), item.doc)
                self.connect(loose, id)
                word = "veto" if item.kind == "hold" else "no"
                self.edge(id, self.outcome(item.otherwise), EdgeKind.ELSE, word)
                return [Loose(id)]
            case p.When():
                title = f"when {item.name}" if item.name else "when"
                lines = (words_of(item.condition),)
                id = self.node(NodeKind.WHEN, item.name or "", title, lines)
                self.connect(loose, id)
                arms = [("yes", item.then), ("no", item.otherwise)]
                return [end for label, block in arms for end in self.branch(id, label, block)]
            case p.MatchBranch():
                id = self.node(NodeKind.MATCH, "", "match", (words_of(item.subject),))
                self.connect(loose, id)
                named = [(values_of(v, item.subject.type), block) for v, block in item.arms]
                return [end for label, block in named for end in self.branch(id, label, block)]
            case p.Remember():
                line = f"for {words_of(item.key)}: {words_of(item.value)}"
                title = f"remember {item.memory}"
                id = self.node(NodeKind.REMEMBER, item.memory, title, (line,))
                self.connect(loose, id)
                return [Loose(id)]
            case p.End():
                self.connect(loose, self.outcome(item.outcome))
                return []
            case _:
                assert_never(item)

    def gate(self, gate: p.Gate, loose: list[Loose]) -> list[Loose]:
        lines = (words_of(gate.condition),)
        id = self.node(NodeKind.GATE, gate.name, f"gate {gate.name}", lines, gate.doc)
        self.connect(loose, id)
        end = gate.otherwise
        if isinstance(end, p.Redo):
            often = "once" if end.times == 1 else f"up to {end.times} times"
            self.edge(id, self.steps[end.step], EdgeKind.REDO, f"redo {often}")
            end = end.otherwise
        self.edge(id, self.outcome(end), EdgeKind.ELSE, "else")
        return [Loose(id)]

    def branch(self, of: str, label: str, block: p.Block) -> list[Loose]:
        """A branch as a cluster of its own; an empty one leads on at once."""
        if not block.items:
            return [Loose(of, label)]
        with self.cluster(ClusterKind.BRANCH, label):
            return self.block(block, [Loose(of, label)])


def _heading(step: p.Step) -> str:
    answers = not isinstance(step.type, NothingType)
    return f"{step.name}: {show(step.type)}" if answers else step.name


def _outcome_kind(outcome: p.Outcome) -> NodeKind:
    match outcome:
        case p.Return():
            return NodeKind.ANSWERED
        case p.Escalate():
            return NodeKind.ESCALATED
        case p.Reject():
            return NodeKind.REJECTED
        case p.Fail():
            return NodeKind.FAILED
        case _:
            assert_never(outcome)


def _action_kind(program: p.Program, action: p.Action) -> NodeKind:
    match action:
        case p.AskTier() | p.Cascade() | p.Agent():
            return NodeKind.ASK
        case p.AskRole():
            return NodeKind.ASK_PERSON
        case p.Call():
            return NodeKind.EFFECT if program.tools[action.tool].acts else NodeKind.CALL
        case p.Value():
            return NodeKind.VALUE
        case p.Choose():
            kinds = {_action_kind(program, link.action) for _, link in action.arms}
            return kinds.pop() if len(kinds) == 1 else NodeKind.OTHER
        case p.Each():
            kinds = {_action_kind(program, link.action) for link in action.body.links}
            return kinds.pop() if len(kinds) == 1 else NodeKind.OTHER
        case p.Recall():
            return NodeKind.CALL
        case p.RunPipeline() | p.Broken():
            return NodeKind.OTHER
        case _:
            assert_never(action)
