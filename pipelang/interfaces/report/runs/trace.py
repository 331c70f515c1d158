"""A run's events as lines that a person can read from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Iterable
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.report.runs.outcome import micro_dollars
from pipelang.interfaces.text.colours import Paint
from pipelang.runtime.files.strict_json import is_number

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event


INDENT = " " * 34

Row = tuple[str, str]
"""A mark, and what is said of an event; its name stands between the two."""

_UNTOLD = frozenset({"effect", "runs", "returned", "until", "each", "vote", "turn"})
"""Events that only a tree of the run shows: in a plain list the next event says the same."""


_SHOWN = frozenset({"answer", "result", "value", "failed", "outcome"})
"""Events whose content is shown where content is wanted."""


def trace_lines(
    events: Iterable[Event], paint: Paint, content: bool = False, width: int = 100
) -> list[str]:
    """One line a decision; `content` adds what was asked and answered, shortened."""
    lines: list[str] = []
    for event in events:
        row = None if event.kind in _UNTOLD else event_row(event, paint)
        if row is None:
            continue
        lines.append(f"  {event_line(event, row, paint)}")
        said = remark(event)
        if said is not None:
            for part in wrap(said, width - len(INDENT)):
                lines.append(INDENT + paint(part, "unsure"))
        if content and event.content is not None and event.kind in _SHOWN:
            lines.append(INDENT + paint(content_line(event, width - len(INDENT)), "dim"))
    return lines


def event_line(event: Event, row: Row, paint: Paint) -> str:
    """An event as a line: the clock, a mark, its name, what is said of it."""
    mark, text = row
    clock = paint(f"{event.at:7.3f}s", "dim")
    return f"{clock}  {mark} {event.name:<18} {text}".rstrip()


def content_line(event: Event, most: int) -> str:
    """A question or an answer as JSON, cut to a number of columns."""
    from pipelang.runtime.engine.values import to_json

    text = json.dumps(to_json(event.content), ensure_ascii=False, default=str)
    return text if len(text) <= most else text[: most - 3] + "..."


def event_row(event: Event, paint: Paint) -> Row | None:
    """A line about an event; None for an event that says only where the run is."""
    data = event.data
    match event.kind:
        case "answer":
            return paint("●", "good"), _answer(data, paint)
        case "turn":
            return paint("●", "good"), f"{_answer(data, paint)}  wants tools"
        case "result":
            words = f"called {data['tool']}" + (
                "" if data["effect"] == "read" else f" ({data['effect']})"
            )
            return paint("●", "good"), words + _money(data)
        case "effect":
            key = f", key {data['key']}" if data.get("key") else ""
            return "…", f"calls {data['tool']} ({data['effect']}{key})"
        case "value":
            return paint("●", "good"), "took the value that was written down"
        case "cached":
            return paint("●", "good"), "took the answer from the cache"
        case "recall":
            return paint("●", "good"), f"recalled {data['memory']}"
        case "remember":
            return " ", "remembered"
        case "failed":
            whom = data.get("tier") or data.get("tool") or ""
            text = f"{whom} failed: {data['why']}, {failure_text(data)}".strip()
            return paint("✗", "bad"), text
        case "retry":
            return " ", f"tried again after {data['wait']:g} s"
        case "fallback":
            return " ", "went on to the next `else`"
        case "vote":
            return " ", f"{data['calls']} votes: {' + '.join(map(str, data['tally'])) or 'none'}"
        case "until":
            accepted = "is sure enough" if data["accepted"] else "is not sure enough"
            return " ", f"{data['tier']} {accepted}"
        case "each":
            return " ", f"{data['answered']} of {data['elements']} elements answered"
        case "gate":
            sure = f" ({_sure(data['confidence'])})" if "confidence" in data else ""
            if data["passed"]:
                return paint("✓", "good"), "holds" + sure
            return paint("✗", "unsure"), "does not hold" + sure
        case "redo":
            return paint("↺", "unsure"), f"again, sent back by {data['gate']}"
        case "when":
            return " ", "holds" if data["holds"] else "does not hold"
        case "match" | "route":
            return " ", f"is {data['value']}"
        case "runs":
            return " ", f"runs {data['pipeline']}"
        case "returned":
            return " ", f"{data['pipeline']} ended: {data['outcome']}"
        case "asks":
            return "…", f"asked {data['role']}"
        case "approve" | "hold":
            return _person(event, paint)
        case "budget":
            return paint("✗", "bad"), f"the {data['dimension']} budget is spent"
        case "quota":
            return _quota(data, paint)
        case "breaker":
            why = f": {data['why']}" if data.get("why") else ""
            return paint("⏻", "unsure"), f"its breaker is {data['state']}{why}"
        case "case":
            return "…", f"{data['what']} for {data['role']} is in the inbox as {data['case']}"
        case "ended":
            return paint("→", "unsure"), f"nothing answered: {data['outcome']}"
        case "run" | "step" | "done" | "outcome":
            return None
        case _:
            # Of a newer pipelang, or of something plugged in.
            said = ", ".join(f"{key} {value}" for key, value in data.items() if value is not None)
            return " ", f"{event.kind}: {said}" if said else event.kind


def _sure(value: Any) -> str:
    """The words for a confidence: of a gate it may be a field of any type."""
    share = is_number(value) and 0 <= value <= 1
    return f"confidence {value:.0%}" if share else f"confidence {value}"


def _quota(data: dict[str, Any], paint: Paint) -> tuple[str, str]:
    if data["state"] == "spent":
        return paint("✗", "bad"), f"the quota of {data['limit']} is spent"
    words = {"money": "${:g}", "tokens": "{:,} tokens", "runs": "{:,} run"}
    held = [form.format(data[what]) for what, form in words.items() if what in data]
    return " ", f"holds {', '.join(held)} of its quota"


def failure_text(data: dict[str, Any]) -> str:
    """The words for a failure: its message, or the class of what foreign code raised, whose text is
    content.
    """
    return str(data.get("message") or data.get("error") or "no more is known")


def _answer(data: dict[str, Any], paint: Paint) -> str:
    if "tier" not in data:
        if "role" not in data:
            return str(data.get("note", ""))
        by = f"{data['by']} ({data['role']})" if data.get("by") else data["role"]
        return f"answered by {by}"
    parts = [f"{data['tier']:<7}"]
    if "confidence" in data:
        parts.append(_sure(data["confidence"]))
    cached = data.get("cache_read")
    again = f" ({cached:,} read from a cache)" if isinstance(cached, int) else ""
    parts.append(f"{data['tokens_in']:,}+{data['tokens_out']:,} tokens{again}")
    text = "  ".join(parts) + _money(data)
    if "simulated" in str(data.get("note")):
        text += paint("  (simulated)", "dim")
    return text


def remark(event: Event) -> str | None:
    """A note on an answer that a simulation made wrong on purpose."""
    note = str(event.data.get("note") or "")
    if event.kind != "answer" or "marked wrong" not in note:
        return None
    reason = note.split("marked wrong", 1)[1].strip(", ")
    return f"recorded as wrong: {reason}" if reason else "recorded as wrong"


def _money(data: dict[str, Any]) -> str:
    cost = data.get("cost", 0.0)
    return "" if cost == 0 else f"  {micro_dollars(cost)}"


def _person(event: Event, paint: Paint) -> Row:
    data = event.data
    if not data["asked"]:
        return " ", f"no {'approval' if event.kind == 'approve' else event.kind} needed"
    if not data["answered"]:
        text = "nobody answered in time"
    else:
        text = f"{data['by'] or 'somebody'} said {'yes' if data['passed'] else 'no'}"
        text += f": {data['reason']}" if data.get("reason") else ""
    return paint("✓", "good") if data["passed"] else paint("✗", "unsure"), text
