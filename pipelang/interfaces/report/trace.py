"""A run's events as a tree of lines that a person can read from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Iterable
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.report.paint import Paint

if TYPE_CHECKING:
    from pipelang.runtime.events import Event


INDENT = " " * 34


def trace_lines(
    events: Iterable[Event], paint: Paint, content: bool = False, width: int = 100
) -> list[str]:
    """One line a decision; `content` adds what was asked and answered, shortened."""
    lines: list[str] = []
    for event in events:
        made = _line(event, paint)
        if made is None:
            continue
        clock = paint(f"{event.at:7.3f}s", "dim")
        lines.append(f"  {clock}  {made}")
        remark = _remark(event)
        if remark is not None:
            for part in wrap(remark, width - len(INDENT)):
                lines.append(INDENT + paint(part, "unsure"))
        if content and event.content is not None and event.kind in ("answer", "result", "value"):
            lines.append(INDENT + paint(_shorten(event.content, width - len(INDENT)), "dim"))
    return lines


def _shorten(content: Any, most: int) -> str:
    from pipelang.runtime.values import to_json

    text = json.dumps(to_json(content), ensure_ascii=False, default=str)
    return text if len(text) <= most else text[: most - 3] + "..."


def _row(mark: str, name: str, text: str) -> str:
    return f"{mark} {name:<18} {text}".rstrip()


def _line(event: Event, paint: Paint) -> str | None:
    data = event.data
    match event.kind:
        case "answer":
            return _row(paint("●", "good"), event.name, _answer(data, paint))
        case "result":
            words = f"called {data['tool']}" + (
                "" if data["effect"] == "read" else f" ({data['effect']})"
            )
            return _row(paint("●", "good"), event.name, words + _money(data))
        case "value":
            return _row(paint("●", "good"), event.name, "took the value that was written down")
        case "failed":
            whom = data.get("tier") or data.get("tool") or ""
            text = f"{whom} failed: {data['why']}, {data['message']}".strip()
            return _row(paint("✗", "bad"), event.name, text)
        case "retry":
            return _row(" ", event.name, f"tried again after {data['wait']:g} s")
        case "fallback":
            return _row(" ", event.name, "went on to the next `else`")
        case "gate":
            sure = f" (confidence {data['confidence']:.0%})" if "confidence" in data else ""
            if data["passed"]:
                return _row(paint("✓", "good"), event.name, "holds" + sure)
            return _row(paint("✗", "unsure"), event.name, "does not hold" + sure)
        case "redo":
            return _row(paint("↺", "unsure"), event.name, f"again, sent back by {data['gate']}")
        case "when":
            return _row(" ", event.name, "holds" if data["holds"] else "does not hold")
        case "match" | "route":
            return _row(" ", event.name, f"is {data['value']}")
        case "asks":
            return _row("…", event.name, f"asked {data['role']}")
        case "approve" | "hold":
            return _person(event, paint)
        case "budget":
            return _row(paint("✗", "bad"), event.name, f"the {data['dimension']} budget is spent")
        case "ended":
            return _row(paint("→", "unsure"), event.name, f"nothing answered: {data['outcome']}")
        case _:
            return None


def _answer(data: dict[str, Any], paint: Paint) -> str:
    if "tier" not in data:
        return f"answered by {data['role']}" if "role" in data else str(data.get("note", ""))
    parts = [f"{data['tier']:<7}"]
    if "confidence" in data:
        parts.append(f"confidence {data['confidence']:.0%}")
    parts.append(f"{data['tokens_in']:,}+{data['tokens_out']:,} tokens")
    text = "  ".join(parts) + _money(data)
    if "simulated" in str(data.get("note")):
        text += paint("  (simulated)", "dim")
    return text


def _remark(event: Event) -> str | None:
    """What a reader should know of an answer: that it is wrong on purpose, and how."""
    note = str(event.data.get("note") or "")
    if event.kind != "answer" or "marked wrong" not in note:
        return None
    reason = note.split("marked wrong", 1)[1].strip(", ")
    return f"recorded as wrong: {reason}" if reason else "recorded as wrong"


def _money(data: dict[str, Any]) -> str:
    return f"  ${data['cost']:.6f}" if data.get("cost") else ""


def _person(event: Event, paint: Paint) -> str:
    data = event.data
    if not data["asked"]:
        return _row(" ", event.name, f"no {event.kind} needed")
    if not data["answered"]:
        text = "nobody answered in time"
    else:
        text = f"{data['by'] or 'somebody'} said {'yes' if data['passed'] else 'no'}"
        text += f": {data['reason']}" if data.get("reason") else ""
    mark = paint("✓", "good") if data["passed"] else paint("✗", "unsure")
    return _row(mark, event.name, text)
