"""A run as a timeline: a row a step or decision, with attempts, confidence, time, dollars.

Bars are drawn in shares of the machine time so far. Waiting for people takes none of it, so a row
says by its state that it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipelang.interfaces.report.runs.trace import event_row
from pipelang.interfaces.report.runs.tree import TreeEvent, TreeNode, tree_of
from pipelang.interfaces.text.colours import painter
from pipelang.records import dataclass

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event

DECISIONS = frozenset("gate approve hold when match redo budget asks".split())
"""Events beside steps that get a row of their own."""

_PLAIN = painter(False)
_LEAST_SHARE = 0.4
"""Percent of the width that a bar has at least, so that a quick step is seen."""


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A step, an element of a list, or a decision between steps.

    `state` is `done`, `working`, `waiting`, `failed` or `stopped`, and `word` says it. `begins` and
    `lasts` are percent of the machine time of the run; `lasts` is None for a decision, which takes
    none.
    """

    name: str
    depth: int
    state: str
    begins: float
    lasts: float | None = None
    seconds: float | None = None
    attempts: int = 0
    confidence: float | None = None
    cost: float | None = 0.0
    tokens: int = 0
    said: str = ""
    word: str = ""


def timeline(events: Sequence[Event], ended: bool) -> list[TimelineRow]:
    """The rows of a run, in the order in which they began."""
    whole = max((event.at for event in events), default=0.0) or 1.0
    root = tree_of(events)
    return list(_rows(root, "", 0, whole, _unanswered(events), ended))


def waited_for(events: Sequence[Event]) -> frozenset[str]:
    """The full names of steps, approvals and holds that wait for a person."""
    if any(event.kind == "outcome" for event in events):
        return frozenset()
    return frozenset(_unanswered(events))


def _unanswered(events: Iterable[Event]) -> Mapping[str, Event]:
    """The last events that asked people and got no answer, by their full names."""
    asked: dict[str, Event] = {}
    for event in events:
        if event.kind == "asks":
            asked[event.name] = event
        elif event.kind in ("approve", "hold", "answer", "failed", "done", "ended"):
            asked.pop(event.name, None)
    return asked


def _rows(
    node: TreeNode,
    path: str,
    depth: int,
    whole: float,
    waiting: Mapping[str, Event],
    ended: bool,
) -> Iterator[TimelineRow]:
    for child in node.children:
        if isinstance(child, TreeNode):
            name = child.name if not path else f"{path}/{child.name}"
            yield _step(child, name, depth, whole, waiting, ended)
            yield from _rows(child, name, depth + 1, whole, waiting, ended)
        elif child.name and child.event.kind in DECISIONS:
            row = _decision(child, depth, whole, waiting, ended)
            if row is not None:
                yield row


def _step(
    node: TreeNode,
    name: str,
    depth: int,
    whole: float,
    waiting: Mapping[str, Event],
    ended: bool,
) -> TimelineRow:
    own = [child.event for child in node.children if isinstance(child, TreeEvent)]
    kinds = [event.kind for event in own]
    asks = any(one == name or one.startswith((f"{name}/", f"{name}[")) for one in waiting)
    if asks and not ended:  # who ended a run in a store from outside wrote no event
        state = "waiting"
    elif node.seconds is None:
        state = "stopped" if ended else "working"
    else:
        state = "done" if node.outcome is None else "failed"
    end = node.at + node.seconds if node.seconds is not None else whole
    begins = min(100.0 * node.at / whole, 100.0 - _LEAST_SHARE)
    lasts = max(100.0 * (end - node.at) / whole, _LEAST_SHARE)
    said = [words(event) for event in own if event.kind in ("failed", "ended", "budget")]
    return TimelineRow(
        node.name,
        depth,
        state,
        begins,
        min(lasts, 100.0 - begins),
        node.seconds,
        1 + kinds.count("retry") + kinds.count("fallback"),
        node.confidence,
        node.cost,
        node.tokens,
        said[-1] if said else "",
        "stopped it" if node.outcome is not None and state == "failed" else state,
    )


def _decision(
    child: TreeEvent, depth: int, whole: float, waiting: Mapping[str, Event], ended: bool
) -> TimelineRow | None:
    event = child.event
    passed = bool(event.data.get("passed", True))
    state, word = ("done", "done") if passed else ("failed", "stopped it")
    match event.kind:
        case "asks":
            if waiting.get(event.name) is not event:
                return None
            state, word = ("stopped", "not answered") if ended else ("waiting", "waiting")
        case "gate":
            word = "passed" if passed else "not passed"
        case "approve" | "hold" if not event.data.get("asked", True):
            word = "not needed"
        case "approve" | "hold":
            word = "yes" if passed else "no"
        case "budget":
            state, word = "failed", "spent"
        case "redo":
            word = "again"
        case _:
            pass
    at = min(100.0 * event.at / whole, 100.0)
    said = "" if event.kind == "gate" or word == "not needed" else words(event)
    confidence = event.data.get("confidence")
    return TimelineRow(child.name, depth, state, at, confidence=confidence, said=said, word=word)


def words(event: Event) -> str:
    """The sentence on an event, without its name; empty for one that only says where a run is."""
    row = event_row(event, _PLAIN)
    return "" if row is None else " ".join(row[1].split())


# --------------------------------------------------------------------------------------- the trace

GROUPS: dict[str, tuple[str, frozenset[str]]] = {
    "models": ("Models", frozenset("answer turn cached vote until route".split())),
    "tools": ("Tools and memory", frozenset("effect result recall remember stderr".split())),
    "decisions": ("Decisions", frozenset("gate when match redo".split())),
    "people": ("People", frozenset("asks approve hold case".split())),
    "trouble": ("Trouble", frozenset("failed retry fallback ended budget breaker".split())),
}
"""Groups of events that the trace can hide: their title and kinds. The rest is `other`."""

GROUP_OF = {kind: name for name, (_, kinds) in GROUPS.items() for kind in kinds}


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A node of the trace as it is shown: a step with what is `inside`, or an event in words."""

    name: str
    at: float
    group: str = ""
    said: str = ""
    is_step: bool = False
    seconds: float | None = None
    cost: float | None = 0.0
    tokens: int = 0
    confidence: float | None = None
    inside: tuple[TraceNode, ...] = ()


def trace(events: Iterable[Event], hidden: frozenset[str] = frozenset()) -> tuple[TraceNode, ...]:
    """The trace as a tree, without the groups of events that are `hidden`."""
    return tuple(_nodes(tree_of(events), hidden))


def _nodes(node: TreeNode, hidden: frozenset[str]) -> Iterator[TraceNode]:
    for child in node.children:
        if isinstance(child, TreeNode):
            yield TraceNode(
                child.name,
                child.at,
                is_step=True,
                seconds=child.seconds,
                cost=child.cost,
                tokens=child.tokens,
                confidence=child.confidence,
                inside=tuple(_nodes(child, hidden)),
            )
            continue
        event = child.event
        group, said = GROUP_OF.get(event.kind, "other"), words(event)
        if group not in hidden and said:
            yield TraceNode(child.name, event.at, group, said)
