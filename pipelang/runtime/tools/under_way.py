"""Calls that act and were under way when a run was cut: they may have happened, or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelang.runtime.engine.events import Event

Calls = Mapping[str, str]
"""The tools of calls by their keys; of an old record, without a tool, by their places."""


class CallsUnderWay:
    """Listens to a run for the calls that act which have begun and are not over."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.calls: dict[str, str] = {}
        for event in events:
            self.hear(event)

    def hear(self, event: Event) -> None:
        """Take note of an event of the run."""
        key = event.data.get("key")
        if event.kind == "effect":
            self.calls[str(key)] = str(event.data["tool"])
        elif key is not None and event.kind in ("result", "failed"):
            self.calls.pop(key, None)


def named_call(tool: str, key: str) -> str:
    """A call by its tool and key, as texts about runs name it."""
    return f"`{tool}` with the key `{key}`"


def in_words(calls: Calls) -> str:
    """A clause about calls, one or more, of which nobody knows whether they happened."""
    listed = ", ".join(named_call(tool, key) if tool else f"`{key}`" for key, tool in calls.items())
    if len(calls) == 1:
        return f"{listed} was under way, and whether it happened is unknown"
    return f"{listed} were under way, and whether they happened is unknown"


def with_calls(text: str, calls: Calls) -> str:
    """A text about a run that was cut, and after it the calls that were under way, if any were."""
    return f"{text}; {in_words(calls)}" if calls else text
