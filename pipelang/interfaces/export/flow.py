"""A program's pipelines as a directed graph, in the types of networkx.

Nodes are the input of a pipeline, every link of its chains, its gates, people and branches, and its
outcomes. Edges say what may happen next: `next` when all goes well, `else` to the next link of a
chain or to an outcome, `redo` back to a step. Without the `redo` edges the graph is acyclic.

All attributes are texts, numbers and truth values, so that any format can hold them. Ids are
made of names (`reply.classify[0]` is the first link of step `classify` of pipeline `reply`, as the
analysis names its parameters), so they stay when something else is added to the file; `#2` parts
two that would be the same. Pictures, GraphML and JSON are all made of this graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, assert_never

from pipelang.diagnostics import Source, Sources, Span
from pipelang.diagnostics.columns import harmless
from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.export.flow_graph import FlowGraph
from pipelang.interfaces.export.graph import EdgeKind, NodeKind
from pipelang.interfaces.export.labels import (
    action_lines,
    budget_words,
    outcome_label,
    person_lines,
    quota_words,
    signature,
    values_of,
    words_of,
)
from pipelang.records import NamedTuple
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import can_be_used_up, ending, reached_links
from pipelang.semantics.kernels.redo import last_outcome, redo_of
from pipelang.semantics.types import NothingType, show

if TYPE_CHECKING:
    import networkx as nx

    from pipelang.runtime.host.handle import LoadedProgram

VERSION = 1
"""Of the attributes, as docs/export.md has them."""


class Loose(NamedTuple):
    """An edge that has no target yet."""

    source: str
    label: str = ""


def graph(program: LoadedProgram | p.Program, name: str) -> nx.DiGraph:
    """The graph of one pipeline of a program, with the attributes that docs/export.md lists.

    `program` is what `load` returns. Raises KeyError, with the nearest name, for a pipeline that
    the program does not have.
    """
    compiled = program if isinstance(program, p.Program) else program.program
    if name not in compiled.pipelines:
        close = closest(name, compiled.pipelines)
        known = ", ".join(compiled.pipelines) or "none"
        hint = f"did you mean `{close}`?" if close else f"there are: {known}"
        raise KeyError(f"no pipeline `{name}`; {hint}")
    return flow(compiled, [name])


def flow(
    program: p.Program, pipelines: Sequence[str], sources: Sources | None = None
) -> nx.DiGraph:
    """The graph of some pipelines of a program, in the types of networkx."""
    import networkx as nx

    ours = drawn(program, pipelines, sources)
    made = nx.DiGraph(**ours.graph)
    made.add_nodes_from(ours.nodes.items())
    made.add_edges_from(ours.edges())
    return made


def drawn(
    program: p.Program, pipelines: Sequence[str], sources: Sources | None = None
) -> FlowGraph:
    """The graph of some pipelines of a program; with `sources`, nodes have `line` and `column`."""
    names = ", ".join(pipelines)
    made = FlowGraph(version=VERSION, name=names, file=program.file, hash=program.hash)
    drawing = _Drawing(program, made, sources or {})
    for name in pipelines:
        drawing.pipeline(program.pipelines[name])
    return made


def xml_safe(text: str) -> str:
    """A text in which a sign stands for every letter that acts on a terminal or is none in XML."""
    shown = harmless(text).replace("\r\n", "\n")
    if shown.isascii():
        return shown
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if "\ud800" <= letter <= "\udfff" or letter in "\ufffe\uffff"
        else letter
        for letter in shown
    )


class _Place(NamedTuple):
    """The place of the next nodes: a pipeline, the arm of a branch, a region; empty for none."""

    pipeline: str
    branch: str = ""
    arm: str = ""
    region: str = ""


class _Drawing:
    """Adds pipelines to a graph, in writing order; `place` is where the next nodes stand."""

    def __init__(self, program: p.Program, made: FlowGraph, sources: Mapping[str, Source]) -> None:
        self.program = program
        self.graph = made
        self.sources = sources
        self.place = _Place("")
        self.steps: dict[str, str] = {}
        self.regions = 0

    # ----------------------------------------------------------------------------- parts

    def node(
        self,
        id: str,
        kind: NodeKind,
        span: Span,
        name: str,
        title: str,
        lines: tuple[str, ...] = (),
        doc: str | None = None,
        fallback: bool = False,
    ) -> str:
        number, stem = 1, id
        while id in self.graph:
            number += 1
            id = f"{stem}#{number}"
        place: dict[str, object] = {"span": f"{span.file}:{span.start}-{span.end}"}
        source = self.sources.get(span.file)
        if source is not None:
            place["line"], place["column"] = source.position(span.start)
        self.graph.add_node(
            id,
            kind=kind.value,
            name=xml_safe(name),
            label=xml_safe(title),
            detail="\n".join(" ".join(xml_safe(line).split("\n")) for line in lines),
            doc="" if doc is None else xml_safe(doc),
            fallback=fallback,
            **place,
            **self.place._asdict(),
        )
        return id

    def edge(self, source: str, target: str, kind: EdgeKind, label: str = "") -> None:
        label = xml_safe(label).replace("\n", " ")
        known = self.graph.edge(source, target)
        if known is not None:  # two empty branches, of a `when` say
            known["label"] += f"\n{label}"
        else:
            self.graph.add_edge(source, target, kind=kind.value, label=label)

    def connect(self, loose: Sequence[Loose], target: str) -> None:
        for end in loose:
            self.edge(end.source, target, EdgeKind.NEXT, end.label)

    @contextmanager
    def inside(self, place: _Place) -> Iterator[None]:
        around, self.place = self.place, place
        yield
        self.place = around

    def local(self, name: str) -> str:
        """The id of something in the pipeline."""
        return f"{self.place.pipeline}.{name}"

    def outcome(self, id: str, outcome: p.Outcome) -> str:
        title, lines = outcome_label(outcome)
        name = "" if isinstance(outcome, p.Return) else outcome.reason
        return self.node(id, _outcome_kind(outcome), outcome.span, name, title, lines)

    # ------------------------------------------------------------------------- pipelines

    def pipeline(self, pipeline: p.Pipeline) -> None:
        self.steps, self.regions = {}, 0
        name = pipeline.name
        with self.inside(_Place(name)):
            lines = signature(pipeline)
            budget = pipeline.budget
            if budget is not None:
                lines = (*lines, budget_words(budget))
            if pipeline.quota is not None:
                lines = (*lines, quota_words(pipeline.quota))
            top = self.node(name, NodeKind.INPUT, pipeline.span, name, name, lines, pipeline.doc)
            if budget is not None and budget.otherwise is not None:
                spent = self.outcome(self.local("spent"), budget.otherwise)
                self.edge(top, spent, EdgeKind.ELSE, "spent")
            quota = pipeline.quota
            if quota is not None and quota.otherwise is not None:
                spent = self.outcome(self.local("quota"), quota.otherwise)
                self.edge(top, spent, EdgeKind.ELSE, "quota spent")
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
        self.regions += 1
        region = self.local(f"region[{self.regions - 1}]")
        with self.inside(self.place._replace(region=region)):
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
                lines = (words_of(item.value),)
                id = self.local(item.name)
                id = self.node(id, NodeKind.VALUE, item.span, item.name, item.name, lines)
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
            id = self.local(f"{step.name}[{position}]")
            span = link.span if position else step.span
            ids.append(self.node(id, kind, span, step.name, title, lines, doc, position > 0))
            if position:
                self.edge(ids[-2], ids[-1], EdgeKind.ELSE, "else")
        self.connect(loose, ids[0])
        self.steps[step.name] = ids[0]
        if can_be_used_up(step.chain, self.program.pure):
            end = self.outcome(self.local(f"{step.name}.else"), ending(step.chain, step))
            self.edge(ids[-1], end, EdgeKind.ELSE, "else")
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
                id = self.local(item.name)
                lines = person_lines(item)
                id = self.node(id, kind, item.span, item.name, title, lines, item.doc)
                self.connect(loose, id)
                word = "veto" if item.kind == "hold" else "no"
                self.redo(id, item)
                end = self.outcome(self.local(f"{item.name}.else"), last_outcome(item))
                self.edge(id, end, EdgeKind.ELSE, word)
                return [Loose(id)]
            case p.When():
                title = f"when {item.name}" if item.name else "when"
                lines = (words_of(item.condition),)
                id = self.local(item.name or "when")
                id = self.node(id, NodeKind.WHEN, item.span, item.name or "", title, lines)
                self.connect(loose, id)
                arms = [("yes", item.then), ("no", item.otherwise)]
                return [end for label, block in arms for end in self.branch(id, label, block)]
            case p.MatchBranch():
                lines = (words_of(item.subject),)
                id = self.node(self.local("match"), NodeKind.MATCH, item.span, "", "match", lines)
                self.connect(loose, id)
                named = [(values_of(v, item.subject.type), block) for v, block in item.arms]
                return [end for label, block in named for end in self.branch(id, label, block)]
            case p.Remember():
                lines = (f"for {words_of(item.key)}: {words_of(item.value)}",)
                title = f"remember {item.memory}"
                id = self.local(f"remember.{item.memory}")
                id = self.node(id, NodeKind.REMEMBER, item.span, item.memory, title, lines)
                self.connect(loose, id)
                return [Loose(id)]
            case p.End():
                id = self.local(_outcome_kind(item.outcome).value)
                self.connect(loose, self.outcome(id, item.outcome))
                return []
            case _:
                assert_never(item)

    def gate(self, gate: p.Gate, loose: list[Loose]) -> list[Loose]:
        lines = (words_of(gate.condition),)
        id, title = self.local(gate.name), f"gate {gate.name}"
        id = self.node(id, NodeKind.GATE, gate.span, gate.name, title, lines, gate.doc)
        self.connect(loose, id)
        self.redo(id, gate)
        stopped = self.outcome(self.local(f"{gate.name}.else"), last_outcome(gate))
        self.edge(id, stopped, EdgeKind.ELSE, "else")
        return [Loose(id)]

    def redo(self, id: str, item: p.Gate | p.Person) -> None:
        redo = redo_of(item)
        if redo is not None:
            often = "once" if redo.times == 1 else f"up to {redo.times} times"
            self.edge(id, self.steps[redo.step], EdgeKind.REDO, f"redo {often}")

    def branch(self, of: str, label: str, block: p.Block) -> list[Loose]:
        """The items of an arm; an empty one leads on at once."""
        if not block.items:
            return [Loose(of, label)]
        with self.inside(_Place(self.place.pipeline, of, xml_safe(label).replace("\n", " "))):
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
