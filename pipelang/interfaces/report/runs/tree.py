"""A run's events as a tree: steps with what they took, and below them what was decided.

Events say where they belong by their names: `s/inner` happened in the pipeline that step `s` runs,
`s[2]/s` to the third element of its list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.report.runs.outcome import micro_dollars
from pipelang.interfaces.report.runs.trace import Row, content_line, event_row, remark
from pipelang.interfaces.text.colours import Paint
from pipelang.records import dataclass, field
from pipelang.runtime.engine.event_payloads import added, cost_in

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event

_ELEMENT = re.compile(r"(.+)\[(\d+)\]")

_OF_A_STEP = frozenset(
    "answer result failed retry fallback value turn vote until cached recall each runs returned "
    "effect asks done ended".split()
)
"""Kinds of events that have the name of their step."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeEvent:
    """Something that happened; `name` is its name where it stands, "" for the step's own."""

    name: str
    event: Event


@dataclass(slots=True, eq=False)
class TreeNode:
    """A run, a step, or an element of a list. `seconds` is None while it runs; `cost`
    (dollars, None if unknown) and `tokens` are of all below; `confidence` is of the last answer;
    `outcome` is how a step ended the whole run.
    """

    name: str
    at: float
    seconds: float | None = None
    cost: float | None = 0.0
    tokens: int = 0
    confidence: float | None = None
    outcome: str | None = None
    children: list[TreeNode | TreeEvent] = field(default_factory=list)
    steps: dict[str, TreeNode] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As JSON; a decision is the event itself."""
        return {
            "name": self.name,
            "at": self.at,
            "seconds": None if self.seconds is None else round(self.seconds, 6),
            "cost": None if self.cost is None else round(self.cost, 9),
            "tokens": self.tokens,
            "confidence": self.confidence,
            "children": [
                child.as_json() if isinstance(child, TreeNode) else event_json(child.event)
                for child in self.children
            ],
        }


def event_json(event: Event) -> dict[str, Any]:
    """An event as it stands in a trace."""
    line = {"kind": event.kind, "name": event.name, "at": event.at, "data": event.data}
    return line if event.content is None else {**line, "content": event.content}


def tree_of(events: Iterable[Event]) -> TreeNode:
    """The tree of a run; what has not ended yet has no `seconds`."""
    root = TreeNode("", 0.0)
    for event in events:
        if event.kind == "run":
            root.name = event.name
            continue
        if event.kind == "outcome":
            root.seconds = event.at
            continue
        way, local = _find(root, event.name, event.at)
        if event.kind == "step":
            node = TreeNode(local, event.at)
            way[-1].children.append(node)
            way[-1].steps[local] = node
            continue
        if event.kind in _OF_A_STEP and local in way[-1].steps:
            way.append(way[-1].steps[local])
            local = ""
        _count(way, event)
        if event.kind in ("done", "ended"):
            way[-1].seconds = event.at - way[-1].at
            way[-1].outcome = event.data.get("outcome")
        if event.kind != "done":
            way[-1].children.append(TreeEvent(local, event))
    return root


def _find(root: TreeNode, name: str, at: float) -> tuple[list[TreeNode], str]:
    """The nodes that an event lies in, outermost first, and what its name is in the last one.

    A name may hold a slash itself (`when a / b > 2`): only what is known is gone into.
    """
    way, parts = [root], name.split("/")
    while len(parts) > 1:
        found = way[-1].steps.get(parts[0])
        element = _ELEMENT.fullmatch(parts[0])
        if found is None and element is not None and element[1] in way[-1].steps:
            around = way[-1].steps[element[1]]
            way.append(around)
            found = around.steps.get(parts[0])
            if found is None:
                found = TreeNode(parts[0], at)
                around.children.append(found)
                around.steps[parts[0]] = found
                found.steps[element[1]] = found
        if found is None:
            break
        way.append(found)
        parts.pop(0)
    return way, "/".join(parts)


def _count(way: list[TreeNode], event: Event) -> None:
    data = event.data
    cost = cost_in(data)
    tokens = int(data.get("tokens_in") or 0) + int(data.get("tokens_out") or 0)
    for index, node in enumerate(way):
        if node in way[:index]:
            continue
        node.cost = added(node.cost, cost)
        node.tokens += tokens
        if node.name and _ELEMENT.fullmatch(node.name):
            node.seconds = event.at - node.at
    if "confidence" in data and event.kind == "answer":
        way[-1].confidence = data["confidence"]


# ------------------------------------------------------------------------------------- as text


def tree_lines(root: TreeNode, paint: Paint, content: bool, width: int) -> list[str]:
    """The tree below a run as lines: the clock, branches, what it is, what it took."""
    return list(_lines(root, "", paint, content, width))


def _lines(node: TreeNode, before: str, paint: Paint, content: bool, width: int) -> Iterator[str]:
    shown: list[tuple[TreeNode | TreeEvent, Row | None]] = []
    for child in node.children:
        row = None if isinstance(child, TreeNode) else event_row(child.event, paint)
        if isinstance(child, TreeNode) or row is not None:
            shown.append((child, row))
    for index, (child, row) in enumerate(shown):
        last = index == len(shown) - 1
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        at = child.at if isinstance(child, TreeNode) else child.event.at
        clock = paint(f"{at:9.3f}s", "dim")
        start = f"{clock}  {before}{branch}"
        under = " " * 12 + before + below
        if isinstance(child, TreeNode):
            yield f"{start}{paint(child.name, 'heading')}  {paint(_took(child), 'dim')}".rstrip()
            yield from _lines(child, before + below, paint, content, width)
            continue
        assert row is not None
        mark, text = row
        yield start + " ".join(part for part in (mark.strip(), child.name, text) if part)
        said = remark(child.event)
        if said is not None:
            yield under + paint(said, "unsure")
        if content and child.event.content is not None:
            room = max(20, width - len(under))
            yield under + paint(content_line(child.event, room), "dim")


def _took(node: TreeNode) -> str:
    """Time, dollars and tokens of a node, and the confidence of its answer."""
    parts = ["..." if node.seconds is None else f"{node.seconds:.3f} s"]
    if node.cost != 0:
        parts.append(micro_dollars(node.cost))
    if node.tokens:
        parts.append(f"{node.tokens:,} tokens")
    if node.confidence is not None:
        parts.append(f"confidence {node.confidence:.0%}")
    return "  ".join(parts)
