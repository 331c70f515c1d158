"""Events: every decision of a run, in order. Traces, live updates and the audit read the same ones.

`data` holds plain JSON values. What was asked and answered is only in `content`, which sinks leave
out unless somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.records import dataclass, field


@dataclass(slots=True)
class Event:
    """One decision. `at` is seconds of machine time since the run began. `number` counts the events
    of a run from 0: whoever gets one twice, because a run went on after a crash, knows it by that.

    Nobody changes one. It is not frozen only because every step makes several, and that would take
    four times as long.
    """

    kind: str
    name: str
    at: float
    data: dict[str, Any] = field(default_factory=dict)
    content: Any = field(default=None, repr=False)
    number: int = field(default=-1, compare=False)


Sink = Callable[[str, Event], None]
"""Gets the run's id and an event. Must be quick and must not raise."""
