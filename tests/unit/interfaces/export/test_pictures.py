"""Graphs as text, mermaid, dot and SVG: what stands there, and that nothing breaks out of it.

The expected pictures lie in `expected/`; PIPELANG_UPDATE=1 writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.diagnostics.columns import cells_of
from pipelang.interfaces.export.ascii import ascii
from pipelang.interfaces.export.dot import dot
from pipelang.interfaces.export.flow import flow
from pipelang.interfaces.export.graph import (
    Cluster,
    ClusterKind,
    Edge,
    EdgeKind,
    Graph,
    GraphNode,
    NodeKind,
    picture,
)
from pipelang.interfaces.export.mermaid import mermaid
from pipelang.interfaces.export.svg import svg
from pipelang.interfaces.export.svg.assembly import assembly
from pipelang.interfaces.export.svg.boxes import (
    LINE_SIZE,
    TITLE_SIZE,
    Box,
    boxed,
    is_diamond,
    text_width,
)
from pipelang.interfaces.export.svg.parts import boxes
from pipelang.interfaces.export.svg.routes import Route, routes
from pipelang.interfaces.text.colours import painter

from .stage import NASTY, WIDE, expect, generated, program

PLAIN = painter(False)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str, *names: str) -> Graph:
    made = program(text)
    return picture(flow(made, names or list(made.pipelines)))


def as_text(graph: Graph) -> str:
    return ascii(graph, 100, PLAIN)


FORMATS: dict[str, Callable[[Graph], str]] = {
    "txt": as_text,
    "mmd": mermaid,
    "dot": dot,
    "svg": svg,
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("name", "text"), [("wide", WIDE), ("nasty", NASTY)])
def test_the_pictures(name: str, text: str, form: str):
    expect(f"{name}.{form}", FORMATS[form](drawn(text)))


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_file_gives_the_same_picture(form: str):
    assert FORMATS[form](drawn(WIDE)) == FORMATS[form](drawn(WIDE))


# --------------------------------------------------------------------------------------- text


@pytest.mark.parametrize("width", [72, 100])
@pytest.mark.parametrize("seed", range(30))
def test_text_stays_within_its_width(seed: int, width: int):
    made = generated(seed)
    for line in ascii(picture(flow(made, list(made.pipelines))), width, PLAIN).splitlines():
        assert cells_of(line) <= width
        assert line == line.rstrip()


def test_colour_changes_no_letter():
    graph = drawn(WIDE)
    painted = ascii(graph, 100, painter(True))
    assert "\x1b[" in painted
    bare = re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert [line.rstrip() for line in bare.splitlines()] == as_text(graph).splitlines()


def test_nothing_in_a_file_acts_on_the_terminal():
    graph = drawn(NASTY.replace("]]> -->", "\x1b[31mred\x07"))
    text = as_text(graph)
    assert "\x1b" not in text
    assert "\x07" not in text


# ------------------------------------------------------------------------------------ escaping


def node(text: str, kind: NodeKind = NodeKind.GATE) -> Graph:
    """A graph whose every text is this one."""
    nodes = {
        "n1": GraphNode("n1", kind, text, text, (text,), text),
        "n2": GraphNode("n2", NodeKind.ANSWERED, text, text, (text, text)),
    }
    edge = Edge("n1", "n2", EdgeKind.NEXT, "")
    aside = Edge("n1", "n3", EdgeKind.ELSE, text)
    nodes["n3"] = GraphNode("n3", NodeKind.FAILED, text, text, (text,))
    clusters = {
        "c1": Cluster("c1", ClusterKind.PIPELINE, text, ("n1", "n2", "n3")),
        "c2": Cluster("c2", ClusterKind.PIPELINE, text, ()),
    }
    return Graph(nodes, (edge, aside), clusters, ("c1", "c2"), {"n1": aside})


hostile = st.text(max_size=30) | st.sampled_from(
    [
        '"]; click n1 "javascript:alert(1)"',
        "style n1 fill:#f00; end",
        "classDef x fill:#fff;",
        "`*bold*`",
        "\\N\\l\\G",
        '\\"',
        "<script>alert(1)</script>",
        "]]>",
        "--> n2\nend\nsubgraph",
        "%% comment",
        "1. a list\n- another",
        "$$x^2$$",
    ]
)

MERMAID_LINE = re.compile(
    r"flowchart TB"
    r"|\s*(subgraph c\d+\[\"[^\"`<>;]*(#\d+;[^\"`<>;]*)*\"\]|direction TB|end)"
    r"|\s*style c\d+ fill:none,stroke:#8b949e"
    r"|\s*n\d+(\(\[|\[\(|\{\{|\{|\[)\"([^\"`<>;]|#\d+;|<br/>)*\"(\]\)|\)\]|\}\}|\}|\])"
    r"|\s*n\d+ (-->|-\.->|==>)(\|\"([^\"`<>;]|#\d+;)*\"\|)? n\d+"
    r"|\s*classDef is_\w+ [\w:#,\- ]+"
    r"|\s*class n\d+(,n\d+)* is_\w+"
)


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_mermaid_is_made_of_lines_of_a_few_shapes(text: str):
    for line in mermaid(node(text)).splitlines():
        assert MERMAID_LINE.fullmatch(line), line
        # Mermaid itself takes letters out of such lines before it parses them.
        label = line.split('"', 1)[1] if '"' in line else ""
        assert "style" not in label
        assert "classDef" not in label


DOT_STRING = re.compile(r'"(?:[^"\\\n]|\\["\\n])*"')


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_dot_keeps_its_texts_in_quotes(text: str):
    for line in dot(node(text)).splitlines():
        bare = DOT_STRING.sub("S", line)
        assert re.fullmatch(r"[\w\s\[\]{}=,.>-]*", bare), line


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_svg_is_xml_whatever_is_written(text: str):
    root = ElementTree.fromstring(svg(node(text)))
    assert root.tag == f"{SVG}svg"
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "style", "rect", "text", "path", "polygon", "g"}


def test_what_was_cut_is_told_on_hovering():
    root = ElementTree.fromstring(svg(drawn(NASTY)))
    told = [element.text or "" for element in root.iter(f"{SVG}title")]
    assert any("style:fill:#abc; 中文 😀 $$x$$" in text for text in told)
    assert any('A "quoted" <doc> & more \\N and `ticks`.' in text for text in told)
    shown = [element.text or "" for element in root.iter(f"{SVG}text")]
    assert any(text.endswith("…") for text in shown)


def test_a_picture_changes_nothing_around_it():
    """It may be pasted into a page: no id, and no rule that reaches out of it."""
    text = svg(drawn(WIDE))
    assert " id=" not in text
    style = ElementTree.fromstring(text).find(f"{SVG}style")
    assert style is not None
    assert style.text is not None
    rules = [line for line in style.text.splitlines() if "{" in line and "@media" not in line]
    assert all(
        part.strip().startswith(".pipelang ")
        for rule in rules
        for part in rule.partition("{")[0].split(",")
    )
    assert "prefers-color-scheme: dark" in style.text


# -------------------------------------------------------------------------------------- layout


def laid_out(graph: Graph) -> tuple[list[Box], list[Route]]:
    lines, trails = assembly(graph)
    top = 0.0
    for line in lines:
        line.place(0.0, top)
        top += line.height + 48
    return [box for line in lines for box in boxes(line)], routes(graph, trails)


def overlap(box: Box, left: float, top: float, right: float, bottom: float) -> bool:
    return box.left < right and left < box.right and box.top < bottom and top < box.bottom


def check_layout(graph: Graph) -> None:
    placed, ways = laid_out(graph)
    assert len(placed) == len(graph.nodes)
    assert len(ways) == len(graph.edges)
    for one, other in combinations(placed, 2):
        assert not overlap(one, other.left - 8, other.top - 8, other.right + 8, other.bottom + 8)
    for way in ways:
        for (x0, y0), (x1, y1) in pairwise(way.points):
            assert abs(x0 - x1) < 0.1 or abs(y0 - y1) < 0.1, "a slanted line"
            line = (min(x0, x1) + 1, min(y0, y1) + 1, max(x0, x1) - 1, max(y0, y1) - 1)
            for box in placed:
                assert not overlap(box, *line), (way.edge, box.title)
        if way.label_at is not None and way.edge.label:
            x, y = way.label_at
            wide = text_width(way.edge.label, LINE_SIZE)
            for box in placed:
                assert not overlap(box, x, y - 9, x + wide, y + 2), (way.edge, box.title)
            assert min(_distance(x, y, wide, *ends) for ends in pairwise(way.points)) < 12


def _distance(
    x: float, y: float, wide: float, a: tuple[float, float], b: tuple[float, float]
) -> float:
    """How far a label is from a piece of a line."""
    aside = max(min(a[0], b[0]) - x - wide, x - max(a[0], b[0]), 0)
    return aside + max(min(a[1], b[1]) - y, y - 9 - max(a[1], b[1]), 0)


@pytest.mark.parametrize("seed", range(150))
def test_nothing_lies_on_anything(seed: int):
    """Boxes apart, lines beside boxes, labels beside boxes and next to their lines."""
    made = generated(seed)
    check_layout(picture(flow(made, list(made.pipelines))))


@pytest.mark.parametrize("text", [WIDE, NASTY], ids=["wide", "nasty"])
def test_nothing_lies_on_anything_in_real_files(text: str):
    check_layout(drawn(text))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=90)),
    st.sampled_from([NodeKind.GATE, NodeKind.ASK, NodeKind.FAILED]),
)
def test_text_fits_into_its_box(texts: list[str], kind: NodeKind):
    box = boxed(GraphNode("n1", kind, "x", "".join(texts[:1]), tuple(texts[1:])))
    inner = box.width - (box.height if is_diamond(box.node) else 0) + 0.01
    assert text_width(box.title, TITLE_SIZE) <= inner
    assert all(text_width(line, LINE_SIZE) <= inner for line in box.lines)


def test_a_wide_region_keeps_its_edges_straight():
    """One step that is read far below: the edge goes past the others in a line of its own."""
    steps = "\n".join(
        f"step s{n} = call look({'x' if n == 0 else f's{n - 1}'})" for n in range(1, 6)
    ).replace("call look(s0)", "call look(x)")
    graph = drawn(f"""
      tool look(x: text) -> text {{ python "x:y" effect read }}
      pipeline p(x: text max 5 tokens) -> text {{
        step far = call look(x) else ""
        {steps}
        step last = call look(if s5 == far then s5 else far)
        return last
      }}
    """)
    check_layout(graph)
    _, ways = laid_out(graph)
    far = next(n.id for n in graph.nodes.values() if n.name == "far")
    last = next(n.id for n in graph.nodes.values() if n.name == "last")
    way = next(w for w in ways if w.edge.source == far and w.edge.target == last)
    assert len(way.points) <= 6


@pytest.mark.parametrize("letter", ["b", "é", "語"])
def test_a_long_text_in_a_box_is_read_as_far_as_it_is_shown(
    letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that is broken was shortened letter by letter from its far end, once for each line."""
    from pipelang.interfaces.export.svg import boxes as module

    read = []

    def counted(text: str) -> int:
        read.append(len(text))
        return cells_of(text)

    monkeypatch.setattr(module, "cells_of", counted)
    sums = []
    for length in (20_000, 40_000):
        read.clear()
        box = boxed(GraphNode("n", NodeKind.INPUT, "n", "n", (letter * length,)))
        assert len(box.lines) <= module.LINES_OF_ONE
        sums.append(sum(read))
    assert sums[0] == sums[1]
