"""The state that a watch keeps between looks: what it counted, and what it told."""

from __future__ import annotations

import json
from typing import Any

from pipelang.interfaces.observation.records import day_of
from pipelang.records import dataclass

VERSION = 1


class KeptStateBroken(ValueError):
    """The state that a watch kept cannot be read."""


def _is_of_a_line(kept: Any) -> bool:
    days = ("began", "closed")
    parts = ("alert", "monitor", "baseline")
    return (
        isinstance(kept, dict)
        and all(type(kept.get(one, 0)) is int for one in days)
        and isinstance(kept.get("newest", 0.0), (int, float))
        and all(isinstance(kept.get(one) or {}, dict) for one in parts)
    )


@dataclass(slots=True)
class WatchState:
    """Memory of a watch on a pipeline's program: each line's monitor as of the last day that
    was closed, its baseline, and the alert that stands.
    """

    lines: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, text: str | None) -> WatchState:
        """The state that was kept; an empty one where there is none, or one of another version.
        Raises `KeptStateBroken`.
        """
        if text is None:
            return cls({})
        try:
            record = json.loads(text)
            lines = record["lines"] if record.get("version") == VERSION else {}
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as broken:
            raise KeptStateBroken(str(broken)) from broken
        if not isinstance(lines, dict) or not all(map(_is_of_a_line, lines.values())):
            raise KeptStateBroken("its lines are not what a watch keeps")
        return cls(lines)

    def text(self) -> str:
        return json.dumps({"version": VERSION, "lines": self.lines}, sort_keys=True)


def set_right(record: dict[str, Any], now: float) -> None:
    """Have the record of a line that was kept by a clock that ran ahead go on from now.

    A look closes the days that are over. One that saw a wrong clock closed days to come, in which
    nothing would be counted until they are over. Days of which something is counted stay closed, so
    that nothing counts twice; those after them are open again. Where even what was counted is later
    than now, nobody can tell which of the clocks was wrong: the test begins anew.
    """
    today, newest = day_of(now), record.get("newest")
    if record.get("closed", 0) <= today:
        return
    if newest is not None and newest <= now:
        record["closed"] = day_of(newest)
    else:
        record.pop("newest", None)
        record["closed"], record["monitor"] = today - 1, None
    if record.get("fired") is not None:
        record["fired"] = min(record["fired"], now)
    alert = record.get("alert")
    if alert is not None:
        alert["since"] = min(alert["since"], now)
