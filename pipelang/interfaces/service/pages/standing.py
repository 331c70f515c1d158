"""The graph of a pipeline with where a run stands: what is done, at work, waits, failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipelang.interfaces.export.flow import drawn
from pipelang.interfaces.export.graph import OUTCOMES, Graph, NodeKind, picture
from pipelang.interfaces.export.svg import svg, without_style
from pipelang.interfaces.report.html.parts import MOST_NODES
from pipelang.interfaces.service.pages.timeline import waited_for
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event

_LINK = re.compile(r"\[([0-9]+)\](?:#[0-9]+)?$")
"""The end of the id of a link of a chain."""

DONE, WORKING, WAITING, FAILED = "is-done", "is-working", "is-waiting", "is-failed"


def run_picture(
    program: p.Program, name: str, events: Sequence[Event], over: bool = False
) -> str | None:
    """The SVG of a pipeline with the states of its nodes as classes, for a page that has the
    stylesheet; None for a graph that is too large to be read. A run may be `over` without an event
    that says so: one that was cancelled in a store.
    """
    made = _graph(program, name)
    if made is None:
        return None
    graph, ids, named = made
    states = _states(graph, ids, named, events, over)
    return without_style(svg(graph, states))


def pipeline_picture(program: p.Program, name: str) -> str | None:
    """The SVG of a pipeline; None for a graph that is too large to be read."""
    made = _graph(program, name)
    return None if made is None else without_style(svg(made[0]))


def _graph(program: p.Program, name: str) -> tuple[Graph, dict[str, str], dict[str, str]] | None:
    """The graph, with the ids of its nodes by those in the flow, and by id the names of branches
    in events.
    """
    flow = drawn(program, [name])
    if len(flow.nodes) > MOST_NODES:
        return None
    graph = picture(flow)
    ids = dict(zip(flow, graph.nodes, strict=True))
    branches = dict(_branches(program.pipelines[name].block))
    named = {ids[id]: branches.get(node["span"], "") for id, node in flow.nodes.items()}
    return graph, ids, named


def _branches(block: p.Block) -> Iterable[tuple[str, str]]:
    """The places of branches, with the names that they have in events."""
    for item in block.items:
        place = f"{item.span.file}:{item.span.start}-{item.span.end}"
        if isinstance(item, p.When):
            yield place, item.name or expr.show(item.condition)
            yield from _branches(item.then)
            yield from _branches(item.otherwise)
        elif isinstance(item, p.MatchBranch):
            yield place, expr.show(item.subject)
            for _, arm in item.arms:
                yield from _branches(arm)


def _states(
    graph: Graph,
    ids: dict[str, str],
    named: dict[str, str],
    events: Sequence[Event],
    over: bool,
) -> dict[str, str]:
    told = _told(events)
    waiting, links = waited_for(events), _links(events)
    ended = next((event for event in reversed(events) if event.kind == "outcome"), None)
    into: dict[str, list[str]] = {}
    for edge in graph.edges:
        into.setdefault(edge.target, []).append(edge.source)
    flow_ids = {ours: id for id, ours in ids.items()}
    found: dict[str, str] = {}
    for id, node in graph.nodes.items():
        before = [found.get(source) for source in into.get(id, ())]
        if node.kind is NodeKind.INPUT:
            state = DONE if events else None
        elif node.kind in OUTCOMES:
            state = _of_outcome(node.kind, node.name, before, ended)
        elif node.kind in (NodeKind.WHEN, NodeKind.MATCH):
            state = DONE if named[id] in told and any(before) else None
        elif (link := _LINK.search(flow_ids[id])) is not None:
            at = int(link[1])
            state = _of_link(at, links.get(node.name), told.get(node.name), node.name in waiting)
        else:
            state = _of_item(node.kind, told.get(node.name), node.name in waiting)
            if node.kind is NodeKind.VALUE and any(one == DONE for one in before):
                state = DONE
        if state in (WORKING, WAITING) and (over or ended is not None):
            state = FAILED
        if state is not None:
            found[id] = state
    return found


def _told(events: Iterable[Event]) -> dict[str, Event]:
    """The last event that says how something of the pipeline itself stands, by its name."""
    kinds = (
        "step",
        "done",
        "ended",
        "gate",
        "approve",
        "hold",
        "asks",
        "when",
        "match",
        "remember",
    )
    return {event.name: event for event in events if event.kind in kinds}


def _links(events: Iterable[Event]) -> dict[str, int]:
    """The link of its chain that each step is at."""
    found: dict[str, int] = {}
    for event in events:
        if event.kind == "step":
            found[event.name] = 0
        elif event.kind == "fallback":
            found[event.name] = int(event.data["link"])
    return found


def _of_link(at: int, now: int | None, told: Event | None, waits: bool) -> str | None:
    """The state of a link of a step's chain."""
    if now is None or told is None or at > now:
        return None
    if at < now or told.kind == "ended":
        return FAILED
    if told.kind == "done":
        # A pipeline that it runs may have ended the whole run.
        return FAILED if told.data.get("outcome") else DONE
    return WAITING if waits else WORKING


def _of_item(kind: NodeKind, told: Event | None, waits: bool) -> str | None:
    """The state of a gate, an approval, a hold or a memory."""
    if told is None:
        return None
    if waits:
        return WAITING
    return DONE if told.data.get("passed", True) else FAILED


def _of_outcome(
    kind: NodeKind, name: str, before: Sequence[str | None], ended: Event | None
) -> str | None:
    """The state of an ending: reached, where the run ended so and what leads to it was reached."""
    if ended is None or ended.name != kind.value or not any(before):
        return None
    if kind is NodeKind.ANSWERED:
        return DONE if DONE in before else None
    return DONE if name == ended.data.get("reason") else None
