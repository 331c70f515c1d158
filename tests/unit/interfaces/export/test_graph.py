"""The graph that all pictures are made of: what leads where, and what stands together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.export.flow import flow
from pipelang.interfaces.export.graph import (
    OUTCOMES,
    ClusterKind,
    EdgeKind,
    Graph,
    GraphNode,
    NodeKind,
    picture,
)
from pipelang.interfaces.export.labels import words_of
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.walk import all_items, outcomes

from .stage import SUPPORT, WIDE, generated, program


def graph_of(text: str, *names: str) -> Graph:
    made = program(text)
    return picture(flow(made, names or list(made.pipelines)))


def wide() -> Graph:
    return graph_of(WIDE, "handle")


def find(graph: Graph, title: str) -> GraphNode:
    (found,) = (node for node in graph.nodes.values() if node.title == title)
    return found


def after(graph: Graph, title: str, kind: EdgeKind = EdgeKind.NEXT) -> list[str]:
    id = find(graph, title).id
    return [graph.nodes[e.target].title for e in graph.edges if e.source == id and e.kind is kind]


def labels(graph: Graph, title: str) -> list[str]:
    id = find(graph, title).id
    return [edge.label for edge in graph.edges if edge.source == id]


def test_the_main_line_of_the_support_desk():
    supported = build(str(SUPPORT), DiskLoader()).program
    assert supported is not None
    graph = picture(flow(supported, ["handle_ticket"]))
    line, at = ["handle_ticket"], graph.nodes["n1"].id
    while True:
        ways = [e.target for e in graph.edges if e.source == at and e.kind is EdgeKind.NEXT]
        if not ways:
            break
        at = ways[0]
        line.append(graph.nodes[at].name)
    assert line == [
        *("handle_ticket", "standard", "no_legal", "kind", "sure", "calm", "no_account"),
        *("no_dispute", "history", "facts", "reply", "clean", "usable", "ready"),
        *("second_look", "sent", ""),
    ]
    assert graph.nodes[at].kind is NodeKind.ANSWERED


def test_steps_that_wait_for_nothing_stand_side_by_side():
    graph = wide()
    assert set(after(graph, "gate sure")) == {"facts: [text]", "page: text", "summary: text"}
    assert after(graph, "facts: [text]") == ["first_fact"]
    assert after(graph, "summary: text") == ["second: text"]
    assert after(graph, "first_fact") == after(graph, "second: text") == ["gate plain"]


def test_a_region_is_a_cluster():
    graph = wide()
    regions = [c for c in graph.clusters.values() if c.kind is ClusterKind.REGION]
    names = [[graph.nodes[m].name for m in region.members] for region in regions]
    assert names == [
        "facts facts first_fact page page summary summary second second".split(),
        ["reply", "reply"],
    ]
    assert [graph.framed(region.id) for region in regions] == [True, False]


def test_what_is_read_through_another_needs_no_edge():
    graph = graph_of("""
      tool look(x: text) -> text { python "x:y" effect read }
      pipeline p(x: text max 5 tokens) -> text {
        step a = call look(x)
        step b = call look(a)
        step c = call look(if a == b then a else b)
        return c
      }
    """)
    assert after(graph, "a: text") == ["b: text"]
    assert after(graph, "b: text") == ["c: text"]


def test_a_chain_goes_aside_link_by_link():
    graph = wide()
    first = find(graph, "kind: Kind")
    chain = []
    at = first.id
    while (edge := graph.aside.get(at)) is not None:
        at = edge.target
        chain.append((edge.label, graph.nodes[at].kind, graph.nodes[at].fallback))
    assert chain == [
        ("else", NodeKind.ASK, True),
        ("else", NodeKind.ASK_PERSON, True),
        ("else", NodeKind.FAILED, False),
    ]
    assert graph.nodes[at].lines == ("chain_exhausted",)
    # Whichever link answers, the run goes on.
    gate = find(graph, "gate sure").id
    assert sum(edge.target == gate for edge in graph.edges) == 3


def test_a_value_cannot_fail():
    graph = wide()
    empty = next(n for n in graph.nodes.values() if n.name == "facts" and n.fallback)
    assert empty.id not in graph.aside


def test_a_redo_leads_back():
    graph = wide()
    assert after(graph, "gate sane", EdgeKind.REDO) == ["reply: Answer"]
    assert labels(graph, "gate sane") == ["redo up to 2 times", "else", ""]


def test_people():
    graph = wide()
    assert find(graph, "approve go").lines == (
        "by supervisor within 1h",
        "when kind.size == large",
        "showing summary",
    )
    assert find(graph, "hold veto").lines[0] == "for 15m by supervisor"
    assert labels(graph, "approve go") == ["no", ""]
    assert labels(graph, "hold veto") == ["veto", ""]


def test_branches_come_together_again():
    graph = wide()
    reply = find(graph, "reply: Answer").id
    ends = {e.source for e in graph.edges if e.target == reply and e.kind is EdgeKind.NEXT}
    assert {graph.nodes[id].name for id in ends} == {"told", "go", "odd_note"}
    assert labels(graph, "match") == ["billing", "legal", "defect, other"]
    branches = [c.title for c in graph.clusters.values() if c.kind is ClusterKind.BRANCH]
    assert branches == ["billing", "legal", "defect, other", "yes", "no", "yes"]


def test_an_empty_branch_leads_on():
    graph = wide()
    assert labels(graph, "when") == ["yes", "no"]
    assert after(graph, "when") == ["answered", "odd_note: int"]


def test_the_doc_comment_goes_with_the_node():
    graph = wide()
    assert find(graph, "kind: Kind").doc == "Which of the four it is."
    assert find(graph, "handle").doc == "Answers a post."


def test_what_is_looked_up_is_a_call():
    graph = graph_of(WIDE, "learn")
    assert find(graph, "kept: text?").kind is NodeKind.CALL


def steps(block: p.Block) -> Iterator[str]:
    for item in all_items(block):
        if isinstance(item, (p.Step, p.Let)):
            yield item.name


@pytest.mark.parametrize("seed", range(60))
def test_random_pipelines_are_drawn_whole(seed: int):
    made = generated(seed)
    (name,) = made.pipelines
    pipeline = made.pipelines[name]
    graph = picture(flow(made, [name]))
    drawn = Counter(node.kind for node in graph.nodes.values() if node.kind in OUTCOMES)
    written = Counter(type(end) for end in outcomes(pipeline.block))
    assert drawn[NodeKind.ANSWERED] == written[p.Return]
    assert drawn[NodeKind.ESCALATED] == written[p.Escalate] + (
        pipeline.budget is not None and isinstance(pipeline.budget.otherwise, p.Escalate)
    )
    names = {node.name for node in graph.nodes.values() if not node.fallback}
    assert set(steps(pipeline.block)) <= names
    # Everything is reached, everything but an outcome leads on, and only a redo leads back.
    forward = [edge for edge in graph.edges if edge.kind is not EdgeKind.REDO]
    assert {edge.target for edge in forward} == set(graph.nodes) - {"n1"}
    ends = set(graph.nodes) - {edge.source for edge in forward if edge.kind is EdgeKind.NEXT}
    assert {graph.nodes[id].kind for id in ends} <= OUTCOMES
    order = {id: number for number, id in enumerate(graph.nodes)}
    assert all(order[edge.source] < order[edge.target] for edge in forward)
    inside = [member for cluster in graph.clusters.values() for member in cluster.members]
    assert sorted(inside) == sorted([*graph.nodes, *(set(graph.clusters) - {"c1"})])


@pytest.mark.parametrize(
    "written",
    [
        "a == 1",
        "a != 1",
        "a > 1",
        "a <= 1 and not b or b",
        "(a > 1 or b) and b",
        "not (a > 1 and b)",
        "a in [1, 2]",
        "a not in [1, 2]",
        "(a + 1) * 2 - (3 - a) > 4",
        "if b then a > 1 else b",
        'c == "x\\"y"',
        "d? and d == c",
        "e == small",
    ],
)
def test_conditions_stand_as_one_would_write_them(written: str):
    made = program(f"""
      enum E {{ small large }}
      fn f(a: int, b: bool, c: text, d: text?, e: E) -> bool = {written}
      pipeline p(a: int, b: bool, c: text max 9 tokens, d: text? max 9 tokens, e: E) -> bool {{
        return f(a, b, c, d, e)
      }}
    """)
    body = made.functions["f"].body
    assert body is not None
    assert words_of(body) == written
