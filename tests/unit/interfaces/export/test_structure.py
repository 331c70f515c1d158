"""`pipelang.graph`: its structure on every example and on random pipelines, and its files."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics.render import dumps
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.export.flow import drawn, flow
from pipelang.interfaces.export.graph import OUTCOMES, EdgeKind, NodeKind, picture
from pipelang.interfaces.export.graph_files import graphml, node_link
from pipelang.semantics import program as p
from pipelang.semantics.build import build

from .stage import NASTY, REPO, SUPPORT, WIDE, generated, program

ENDS = {kind.value for kind in OUTCOMES}
PLAIN = (str, int, bool)


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """networkx, which takes a while to import: each process collects this file, and one runs it."""
    global nx
    import networkx as nx


def examples() -> Iterator[p.Program]:
    for path in sorted((REPO / "examples").rglob("*.pipe")):
        made = build(str(path), DiskLoader()).program
        assert made is not None
        yield made


@functools.cache
def programs() -> tuple[p.Program, ...]:
    return (*examples(), program(WIDE), program(NASTY), *map(generated, range(60)))


@functools.cache
def graphs() -> tuple[tuple[p.Pipeline, nx.DiGraph], ...]:
    return tuple(
        (pipeline, pipelang.graph(made, name))
        for made in programs()
        for name, pipeline in made.pipelines.items()
    )


def forward(graph: nx.DiGraph) -> nx.DiGraph:
    """The graph without the ways back."""
    redo = [(a, b) for a, b, kind in graph.edges(data="kind") if kind == EdgeKind.REDO.value]
    return nx.restricted_view(graph, [], redo)


def test_there_is_something_to_look_at() -> None:
    kinds = {kind for _, graph in graphs() for _, kind in graph.nodes(data="kind")}
    edges = {kind for _, graph in graphs() for *_, kind in graph.edges(data="kind")}
    assert kinds == {kind.value for kind in NodeKind}
    assert edges == {kind.value for kind in EdgeKind}


def test_only_a_redo_leads_back() -> None:
    for _, graph in graphs():
        assert nx.is_directed_acyclic_graph(forward(graph))
        for source, target, kind in graph.edges(data="kind"):
            if kind == EdgeKind.REDO.value:
                assert nx.has_path(forward(graph), target, source)


def test_the_input_reaches_everything_and_everything_an_outcome() -> None:
    for pipeline, graph in graphs():
        assert set(nx.descendants(graph, pipeline.name)) == set(graph) - {pipeline.name}
        sinks = {id for id in graph if not graph.out_degree(id)}
        ends = {id for id, kind in graph.nodes(data="kind") if kind in ENDS}
        assert sinks == ends
        to_an_end = set().union(*(nx.ancestors(graph, end) for end in ends))
        assert to_an_end | ends == set(graph)


def checked_before(
    block: p.Block, gates: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every step with the gates, holds and approvals that it stands behind, in every block."""
    for segment in block.segments:
        indices = segment.members if isinstance(segment, p.Region) else (segment.index,)
        for item in (block.items[index] for index in indices):
            match item:
                case p.Step():
                    yield item.name, gates
                case p.Gate() | p.Person():
                    gates = (*gates, item.name)
                case p.When():
                    yield from checked_before(item.then, gates)
                    yield from checked_before(item.otherwise, gates)
                case p.MatchBranch():
                    for _, arm in item.arms:
                        yield from checked_before(arm, gates)
                case _:
                    pass


def dominators(graph: nx.DiGraph, start: str, node: str) -> set[str]:
    """The nodes that every path from the start to a node goes through."""
    above = nx.immediate_dominators(graph, start)
    found = {node}
    while node != start:
        node = above[node]
        found.add(node)
    return found


def test_a_gate_dominates_what_stands_behind_it() -> None:
    looked_at = 0
    for pipeline, graph in graphs():
        for step, gates in checked_before(pipeline.block):
            links = [id for id in graph if id.startswith(f"{pipeline.name}.{step}[")]
            assert links
            for link in links:
                above = dominators(graph, pipeline.name, link)
                for gate in gates:
                    looked_at += 1
                    of_this_name = {id for id, name in graph.nodes(data="name") if name == gate}
                    assert above & of_this_name, (pipeline.name, step, gate)
    assert looked_at > 100


def test_a_gate_in_one_arm_dominates_only_what_is_there() -> None:
    graph = pipelang.graph(
        program("""
          tool send(x: text) -> text { python "x:y" effect write }
          pipeline p(x: text max 5 tokens, b: bool) -> text {
            when b {
              gate short: x == "a" else fail "too long"
              step inner = call send(x)
            }
            step outer = call send(x)
            return outer
          }
        """),
        "p",
    )
    assert graph.nodes["p.outer[0]"]["kind"] == "effect"
    assert "p.short" in dominators(graph, "p", "p.inner[0]")
    assert "p.short" not in dominators(graph, "p", "p.outer[0]")
    inner = graph.nodes["p.inner[0]"]
    assert (inner["branch"], inner["arm"]) == ("p.when", "yes")


def test_what_the_analysis_proves_the_graph_shows() -> None:
    """`TOOL only after GATE`: the gate dominates every call of the tool."""
    checked = check_file(str(SUPPORT))
    assert checked.program is not None
    found = 0
    for proof in checked.proofs:
        claimed = proof.claim.claimed
        if isinstance(claimed, p.OnlyAfter) and claimed.pipeline == proof.claim.pipeline:
            graph = pipelang.graph(checked.program, claimed.pipeline)
            start = f"call {claimed.tool}\n"
            for id, detail in graph.nodes(data="detail"):
                if f"{detail}\n".startswith(start):
                    found += 1
                    above = dominators(graph, claimed.pipeline, id)
                    assert f"{claimed.pipeline}.{claimed.gate}" in above
    assert found


def test_a_step_comes_after_what_it_reads() -> None:
    for pipeline, graph in graphs():
        along = nx.transitive_closure_dag(forward(graph))
        for segment in pipeline.block.segments:
            if not isinstance(segment, p.Region):
                continue
            items = [pipeline.block.items[index] for index in segment.members]
            ids = {
                item.name: f"{pipeline.name}.{item.name}" + "[0]" * isinstance(item, p.Step)
                for item in items
                if isinstance(item, (p.Step, p.Let))
            }
            for item in items:
                assert isinstance(item, (p.Step, p.Let))
                for name in ids:
                    assert along.has_edge(ids[name], ids[item.name]) == (
                        name in _read_at_last(item, items)
                    )


def _read_at_last(item: p.Step | p.Let, items: list[p.Item]) -> set[str]:
    """The names that something reads, and that these read, and so on."""
    known = {one.name: one for one in items if isinstance(one, (p.Step, p.Let))}
    found: set[str] = set()
    left = [name for name in item.reads if name in known and name != item.name]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [other for other in known[name].reads if other in known and other != name]
    return found


def test_attributes_are_plain_and_the_same_everywhere() -> None:
    for _, graph in graphs():
        assert {key for _, node in graph.nodes(data=True) for key in node} == {
            *("kind", "name", "label", "detail", "doc", "fallback", "span"),
            *("pipeline", "branch", "arm", "region"),
        }
        for attributes in (
            graph.graph,
            *(node for _, node in graph.nodes(data=True)),
            *(edge for *_, edge in graph.edges(data=True)),
        ):
            assert all(isinstance(value, PLAIN) for value in attributes.values())


def test_pictures_need_no_networkx() -> None:
    for made in programs():
        names = list(made.pipelines)
        ours, theirs = drawn(made, names), flow(made, names)
        assert list(ours) == list(theirs)
        assert dict(ours.nodes) == dict(theirs.nodes)
        assert list(ours.edges()) == list(theirs.edges(data=True))
        assert picture(ours) == picture(theirs)


def test_files_hold_the_whole_graph() -> None:
    for made in programs():
        graph = flow(made, list(made.pipelines))
        shown = picture(graph)
        assert picture(nx.read_graphml(io.BytesIO(graphml(graph).encode()))) == shown
        data = json.loads(dumps(node_link(graph)))
        again = nx.node_link_graph(data, edges="edges")
        assert nx.utils.graphs_equal(again, graph)
        assert list(again) == list(graph)


def test_ids_stay_when_something_else_is_added() -> None:
    text = """
      tool look(x: text) -> text {{ python "x:y" effect read }}
      pipeline p(x: text max 5 tokens) -> text {{
        {more}
        step a = call look(x) else call look("b")
        gate same: a == x else redo a up to 1 else fail "other"
        return a
      }}
    """
    graph = pipelang.graph(program(text.format(more="")), "p")
    assert list(graph) == [
        *("p", "p.a[0]", "p.a[1]", "p.a.else", "p.same", "p.same.else", "p.answered"),
    ]
    more = 'step z = call look(x)\n gate new: z == x else fail "other"'
    larger = pipelang.graph(program(text.format(more=more)), "p")
    assert set(graph) < set(larger)
    assert all(larger.nodes[id]["label"] == graph.nodes[id]["label"] for id in graph)


def test_two_empty_arms_are_one_edge_with_two_labels() -> None:
    graph = pipelang.graph(
        program("""
          enum E { one two three }
          pipeline p(n: E) -> E {
            match n { one { } two { } three { return three } }
            return n
          }
        """),
        "p",
    )
    assert graph.edges["p.match", "p.answered#2"]["label"] == "one\ntwo"
    assert [edge.label for edge in picture(graph).edges] == ["", "three", "one", "two"]


def test_lines_are_told_where_the_text_is_known() -> None:
    built = build(str(SUPPORT), DiskLoader())
    assert built.program is not None
    text = Path(SUPPORT).read_text(encoding="utf-8").splitlines()
    graph = flow(built.program, ["handle_ticket"], built.sources)
    gates = [node for _, node in graph.nodes(data=True) if node["kind"] == "gate"]
    for node in gates:
        line = text[node["line"] - 1]
        assert line.strip().startswith("gate")
        assert line[node["column"] - 1 :].startswith(node["name"])
        file, _, span = node["span"].rpartition(":")
        start, end = map(int, span.split("-"))
        assert built.sources[file].text[start:end] == node["name"]


def test_a_loaded_program_and_a_compiled_one_are_the_same() -> None:
    loaded = pipelang.load(SUPPORT)
    one, other = (pipelang.graph(given, "handle_ticket") for given in (loaded, loaded.program))
    assert nx.utils.graphs_equal(one, other)


def test_an_unknown_pipeline_is_told_with_the_nearest() -> None:
    loaded = pipelang.load(SUPPORT)
    with pytest.raises(KeyError, match="no pipeline `handle_tickt`; did you mean `handle_ticket`"):
        pipelang.graph(loaded, "handle_tickt")
    with pytest.raises(KeyError, match="there are: handle_ticket"):
        pipelang.graph(loaded, "zzz")
    with pytest.raises(KeyError, match="there are: none"):
        pipelang.graph(program("enum E { a b }"), "p")
