"""What each part of the product says of a pipeline, in the same words.

`reached` are steps, gates and people that a run may come to; `ways` are endings by name, as in
`escalation s1` or `failure s2_failed`, and their kinds alone; `unused` are steps of which a link
or the ending is never tried. Of what a part cannot say it says nothing, and is not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipelang
from pipelang.diagnostics import RULES, Span
from pipelang.interfaces.cli.check.report import check_report
from pipelang.interfaces.export.flow import flow
from pipelang.interfaces.export.graph import OUTCOMES, EdgeKind, NodeKind, picture
from pipelang.interfaces.export.prism import prism
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.runtime.host.simulate import simulate
from pipelang.semantics import program as p
from pipelang.semantics.build import Built
from pipelang.semantics.walk import all_steps, inner_links

from .prism_states import reached_labels


@dataclass(frozen=True)
class Said:
    reached: frozenset[str] = frozenset()
    ways: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()


def by_check(built: Built, pipeline: p.Pipeline) -> Said:
    """Only that something is never reached, by the places of warnings."""
    warned = {found.span for found in built.diagnostics if found.rule.code == "P402"}
    unused = {step.name for step in all_steps(pipeline) if warned & set(_spans(step.chain))}
    return Said(unused=frozenset(unused))


def _spans(chain: p.Chain) -> Iterator[Span]:
    yield from (link.span for link in chain.links)
    if chain.end is not None:
        yield chain.end.span


def by_analysis(path: Path) -> tuple[Said, dict[str, float]]:
    """What has a probability above 0, and the least probability of every way."""
    report: dict[str, Any] = check_report([str(path)])["pipelines"]["p"]
    numbers = {kind: report["outcomes"][kind] for kind in ("escalation", "rejection", "failure")}
    numbers |= {f"escalation {name}": number for name, number in report["escalations"].items()}
    least = {way: number["low"] for way, number in numbers.items() if _possible(number)}
    # Steps of children stand in the report by `child.step`; a graph draws a child as one node.
    own = [step for step in report["steps"] if "." not in step["name"]]
    reached = {step["name"] for step in own if _possible(step["reached"])}
    return Said(frozenset(reached), frozenset(least)), least


def _possible(number: dict[str, float]) -> bool:
    """Correlations are not declared, so some figures are bounds."""
    return number["high"] > 1e-12


def by_graph(program: p.Program, pipeline: p.Pipeline) -> Said:
    """What an edge leads to, from the input on. Endings of sub-pipelines stand in their graphs."""
    graph = picture(flow(program, [pipeline.name]))
    seen = {id for id, node in graph.nodes.items() if node.kind is NodeKind.INPUT}
    waiting = list(seen)
    while waiting:
        here = waiting.pop()
        new = {edge.target for edge in graph.edges if edge.source == here} - seen
        seen |= new
        waiting.extend(new)
    nodes = [graph.nodes[id] for id in seen]
    ways = set()
    for node in nodes:
        match node.kind:
            case NodeKind.ESCALATED:
                ways |= {"escalation", f"escalation {node.name}"}
            case NodeKind.REJECTED:
                ways.add("rejection")
            case NodeKind.FAILED:
                ways.add("failure")
            case _:
                pass
    unused = set()
    for step in all_steps(pipeline):
        drawn = {node.id for node in nodes if node.name == step.name and node.kind not in OUTCOMES}
        aside = [
            edge for edge in graph.edges if edge.source in drawn and edge.kind is EdgeKind.ELSE
        ]
        ended = len(aside) == len(drawn)  # the last link, too, has a way aside
        if drawn and (len(drawn) < len(step.chain.links) or (step.chain.end and not ended)):
            unused.add(step.name)
    reached = {node.name for node in nodes} & {step.name for step in all_steps(pipeline)}
    return Said(frozenset(reached), frozenset(ways), frozenset(unused))


def ways_in_its_graph(pipeline: p.Pipeline, ways: frozenset[str]) -> set[str]:
    """The ways that a graph can show: an `each` and a sub-pipeline are one node there, and how
    their inside ends the run is not drawn.
    """
    steps = list(all_steps(pipeline))
    inside = {
        f"escalation {step.name}"
        for step in steps
        if not isinstance(step.chain.end, p.Escalate)
        for link in inner_links(step.chain)
        if isinstance(link.action, p.Each)
    }
    shown = {way for way in ways if "." not in way} - inside
    named = any(way.startswith("escalation ") for way in shown)
    return shown if named else shown - {"escalation"}


def by_prism(program: p.Program, pipeline: p.Pipeline) -> Said:
    """The labels of the states that the exported model reaches."""
    ways, reached = set(), set()
    for label in reached_labels(prism(program, pipeline.name)):
        kind, _, name = label.partition("_")
        if kind in ("rejection", "escalation") or label == "failure":
            ways.add(f"{kind} {name}".strip())
        elif kind == "reached":
            reached.add(name)
    return Said(frozenset(reached), frozenset(ways))


def by_interpreter(path: Path, runs: int, seed: int) -> tuple[Said, Counter[str]]:
    """What happened in some runs over the simulated world, and how often each way was taken."""
    loaded = pipelang.load(path, allow=RULES)
    pipeline = loaded.program.pipelines["p"]
    spend = spending(loaded.program, pipeline)
    counts = simulate(loaded, pipeline, runs, seed, spend, unknown=0.5, people=True)
    ways = Counter({kind: counts.outcomes[kind] for kind in ("escalation", "rejection", "failure")})
    ways.update({f"escalation {name}": times for name, times in counts.escalations.items()})
    taken = frozenset(way for way, times in ways.items() if times)
    return Said(frozenset(counts.reached), taken), ways
