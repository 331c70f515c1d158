"""Words of the pages: times, lengths of time, money, statuses, and JSON values to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipelang.diagnostics.columns import harmless
from pipelang.interfaces.report.runs.cases import span
from pipelang.interfaces.service.pages.forms import label_of
from pipelang.interfaces.text.number_format import money
from pipelang.records import dataclass, field

STATUS_STYLES = {
    "queued": "quiet",
    "delayed": "quiet",
    "running": "plain",
    "waiting": "unsure",
    "answered": "good",
    "escalated": "people",
    "rejected": "quiet",
    "failed": "bad",
}
"""The style of each status of a run."""


def as_moment(text: str | None) -> datetime | None:
    """A time of the API, None for none."""
    return None if text is None else datetime.fromisoformat(text)


def ago(moment: datetime, now: datetime) -> str:
    """A time, as people say it: `5 min ago`, `in 2 h`."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    words = long_span(abs(seconds))
    return f"{words} ago" if seconds > 0 else f"in {words}"


_UNITS = (("d", "d"), ("h", "h"), ("m", "min"), ("s", "s"))


def long_span(seconds: float) -> str:
    """A length of time, roughly: `40 s`, `5 min`, `3 h`, `2 d`."""
    text = span(seconds)
    return f"{text[:-1]} {dict(_UNITS)[text[-1]]}"


def took(seconds: float) -> str:
    """A length of time to two or three figures: `7 ms`, `0.42 s`, `2 min 05 s`, `3 h 12 min`."""
    seconds = max(seconds, 0.0)
    if seconds < 0.0995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def clock(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def dollars(amount: str | float | None) -> str:
    """An amount of the API, a text, or of an event, a number; None is an unknown one."""
    if amount is None:
        return "unknown"
    value = float(amount)
    return "$0" if value == 0 else money(value, 2)


def short_id(id: str) -> str:
    """The beginning of a run's id, enough to tell it from its neighbours."""
    return id if len(id) <= 12 else f"{id[:10]}…"


def one_line(text: str, most: int = 140) -> str:
    """A text of somebody else's, in one line of at most so many letters."""
    line = " ".join(harmless(text[: 4 * most]).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def summary(run: Mapping[str, Any]) -> str:
    """A run's result, or what it waits for, in a line."""
    result, waiting = run.get("result"), run.get("waiting_for")
    match run["status"]:
        case "answered" if result is not None:
            return one_line(_value_line(result["value"]), 90)
        case "escalated" if result is not None:
            return one_line(f"{result['role']}: {result['text'] or label_of(result['reason'])}")
        case "rejected" if result is not None:
            return one_line(result["text"] or label_of(result["reason"]))
        case "failed" if result is not None:
            return one_line(f"{result['code']} at {result['reason']}")
        case _ if waiting is not None:
            if waiting["kind"] == "worker":
                return "waits for a worker that has its program"
            if waiting["kind"] == "time":  # whose name is the pipeline's
                due = as_moment(waiting.get("due"))
                begins = "begins" if run["status"] == "delayed" else "goes on"
                return begins if due is None else f"{begins} {ago(due, datetime.now(UTC))}"
            return one_line(f"waits for {waiting['name']}")
        case _:
            return ""


def value_line(value: Any, most: int = 140) -> str:
    """A value in a line; empty for nothing."""
    return "" if value is None else one_line(_value_line(value), most)


def _value_line(value: Any) -> str:
    """A value in a line: a text itself, a record as its fields."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        parts = [f"{label_of(str(key))}: {_part(part)}" for key, part in [*value.items()][:6]]
        return " · ".join(parts)
    return _part(value)


def _part(value: Any) -> str:
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "nothing"}[value]
    if isinstance(value, (int, float)):
        return f"{value:,}"
    return json.dumps(value, ensure_ascii=False)[:200]


# ------------------------------------------------------------------------------ values to look at

MOST_PARTS = 400
"""Parts of a value that are shown; a page is read by people."""
MOST_LETTERS = 20_000
"""Letters of a text."""
MOST_LINES = 2_000
"""Lines of a text: empty ones are few letters and much of a page."""
MOST_IN_ALL = 200_000
"""Letters of a value, beyond which each further text is shown with its beginning."""
_A_BEGINNING = 100
_DEEPEST = 12


@dataclass(slots=True)
class ShownValue:
    """A JSON value to look at: a `text`, or a record or list with its `parts`, each with its label.
    `left_out` counts what is not shown.
    """

    kind: str
    text: str = ""
    parts: list[tuple[str, ShownValue]] = field(default_factory=list)
    left_out: int = 0


def shown_value(value: Any) -> ShownValue:
    """A value to look at, cut where it is longer than a page."""
    return _shown(value, _Room(), 0)


@dataclass(slots=True)
class _Room:
    """Parts and letters for which a page still has room."""

    parts: int = MOST_PARTS
    letters: int = MOST_IN_ALL

    def cut(self, text: str) -> str:
        """As much of a text as there is room for."""
        most = min(MOST_LETTERS, max(self.letters, _A_BEGINNING))
        lines = harmless(text[: most + 1])[:most].split("\n", MOST_LINES)
        shown = "\n".join(lines[:MOST_LINES])
        self.letters -= len(shown)
        return shown if len(shown) == len(text) else f"{shown}…"


def _shown(value: Any, left: _Room, depth: int) -> ShownValue:
    left.parts -= 1
    if isinstance(value, str):
        return ShownValue("text", left.cut(value))
    if value is None or isinstance(value, bool):
        return ShownValue("word", {None: "nothing", True: "yes", False: "no"}[value])
    if isinstance(value, (int, float)):
        return ShownValue("number", f"{value}" if abs(value) < 10_000 else f"{value:,}")
    if depth >= _DEEPEST or not isinstance(value, (Mapping, list, tuple)):
        return ShownValue("text", left.cut(json.dumps(value, ensure_ascii=False, default=str)))
    if isinstance(value, Mapping):
        if {*value} == {"data", "media_type"}:
            size = len(str(value["data"])) * 3 // 4
            return ShownValue("text", f"{left.cut(str(value['media_type'])[:80])}, {size:,} bytes")
        made = ShownValue("record")
        pairs = [(label_of(one_line(str(key))), part) for key, part in value.items()]
    else:
        made = ShownValue("list")
        pairs = [(str(number), part) for number, part in enumerate(value, 1)]
    for number, (label, part) in enumerate(pairs):
        if left.parts <= 0:
            made.left_out = len(pairs) - number
            break
        made.parts.append((label, _shown(part, left, depth + 1)))
    return made
