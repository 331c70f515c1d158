"""Cases of an inbox for people: one line each, or one whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipelang.diagnostics.columns import harmless, wrap
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.runtime.inbox.cases import Case, stamp, verdict_words

_STATES = {"open": "unsure", "decided": "good", "expired": "dim", "withdrawn": "dim"}


def case_lines(
    cases: Sequence[Case], now: datetime, paint: Paint, width: int, states: bool
) -> list[str]:
    """A table of cases; with `states` also what became of them."""
    head = ("case", "age", "due", "state", "role", "kind", "what", "")
    rows: list[Row] = [[Cell(word, "dim") for word in head]]
    for case in cases:
        tenant = f" [{one_line(case.tenant)}]" if case.tenant is not None else ""
        rows.append(
            [
                Cell(case.id, "people"),
                span((now - case.opened_at).total_seconds()),
                _due(case, now),
                Cell(case.state, _STATES[case.state]) if states else "",
                one_line(case.role),
                case.kind,
                one_line(f"{case.pipeline}/{case.name}") + tenant,
                Cell(one_line(_text(case)), "dim"),
            ]
        )
    if not states:
        rows[0] = [Cell("" if word == "state" else word, "dim") for word in head]
    return lay_out(rows, "<>><<<<<", paint, width=width)


def _due(case: Case, now: datetime) -> str:
    if case.state != "open" or case.due_at is None:
        return ""
    return f"in {span((case.due_at - now).total_seconds())}"


def _text(case: Case) -> str:
    if case.verdict is not None:
        reason = f": {case.verdict.reason}" if case.verdict.reason else ""
        return f"{case.verdict.by} {verdict_words(case)}{reason}"
    return (case.why if case.state != "open" else case.text or case.prompt) or ""


def case_whole(case: Case, now: datetime, paint: Paint, width: int, state: str) -> list[str]:
    """One case with all that it shows, and the command that answers it."""
    head = f"case {case.id}: {_question(case)}"
    lines = [paint(line, "heading") for line in wrap(head, width)]
    age = span((now - case.opened_at).total_seconds())
    facts = [f"run {one_line(case.run_id)}", f"opened {_moment(case.opened_at)} ({age} ago)"]
    if case.tenant is not None:
        facts.insert(1, f"tenant {one_line(case.tenant)}")
    if case.due_at is not None:
        facts.append(f"due {_moment(case.due_at)}")
    if case.differs_from:
        facts.append(f"not by who decided as {', '.join(case.differs_from)}")
    lines += ["  " + paint(fact, "dim") for fact in facts]
    if case.text:
        lines += ["", *wrap(one_line(case.text), width, 2)]
    for title, value in (("asked", case.prompt), ("shown", case.shown)):
        if value is not None:
            lines += ["", f"  {title}:", *_block(value)]
    if case.shape is not None and case.state == "open":
        lines += ["", "  the answer's shape (JSON Schema):", *_block(case.shape)]
    return [*lines, "", *_ending(case, paint, width, state)]


def _ending(case: Case, paint: Paint, width: int, state: str) -> list[str]:
    if case.state == "open":
        return [f"  {paint(line, 'people')}" for line in answer_lines(case, state)]
    if case.verdict is None:
        return wrap(f"{case.state} {_moment(case.closed_at)}: {case.why}", width, 2)
    lines = wrap(one_line(f"{_text(case)} ({_moment(case.verdict.at)})"), width, 2)
    return [*lines, *_block(case.verdict.answer)] if case.verdict.has_answer else lines


def _question(case: Case) -> str:
    name = one_line(f"{case.pipeline}/{case.name}")
    match case.kind:
        case "approve":
            return f"{case.role} must approve {name}"
        case "hold":
            return f"{case.role} may veto {name}"
        case "ask":
            return f"{case.role} is asked for {name}"
        case "escalation":
            return f"{name} was handed over to {case.role}"
        case "label":
            return f"{case.role} is asked whether this answer of {name} is right"


def answer_lines(case: Case, state: str) -> list[str]:
    """The commands that answer a case. `state` is what comes after them to find it."""
    call = f"pipelang approve {case.id}"
    match case.kind:
        case "approve":
            return [f"{call}{state}", f"{call} --no --reason TEXT{state}"]
        case "hold":
            return [f"{call} --no --reason TEXT{state}", f"{call}{state}"]
        case "ask":
            return [f"{call} --answer {_example(case.shape or {})}{state}"]
        case "escalation":
            return [f"{call} --reason TEXT{state}"]
        case "label":
            example = _example(case.shape or {})
            return [f"{call} --sure 90%{state}", f"{call} --answer {example} --sure 90%{state}"]


def _example(shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return f"'{json.dumps(shape['enum'][0])}'"
    example = {"string": '"..."', "object": "{...}", "array": "[...]", "boolean": "true"}
    kind = shape.get("type", "")
    return f"'{example[kind]}'" if kind in example else "JSON"


def waiting_lines(case: Case, state: str) -> list[str]:
    """Lines about a run that waits: for whom, for what, until when, and how to answer."""
    text = f": {one_line(case.text)}" if case.text and case.text != case.name else ""
    until = "" if case.due_at is None else f", until {_moment(case.due_at)}"
    lines = [f"{_question(case)}{text}{until}"]
    return [*lines, *(f"  {line}" for line in answer_lines(case, state))]


def one_line(text: str) -> str:
    """A text of somebody else's, in one line that does nothing to a terminal."""
    return " ".join(harmless(text).split())


def _block(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return [f"    {line}" for line in harmless(text).splitlines()]


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else stamp(moment)


def span(seconds: float) -> str:
    """A length of time, roughly: `40s`, `5m`, `3h`, `2d`."""
    seconds = max(0.0, seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size or (unit == "m" and seconds >= size):
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"
