"""Calls of a record that have begun and of which no outcome is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.runtime.worlds.recorded.record import Kind


def cut_calls(rows: Mapping[str, tuple[Kind, Any]]) -> dict[str, str]:
    """The calls that act which were under way by the rows of a run: their tools by their keys, as
    `tools.under_way` says them. Intents of former versions have no key: the place stands for it.
    """
    found: dict[str, str] = {}
    for place, (kind, value) in rows.items():
        if kind != "intent" or place[:-1] in rows:
            continue
        call = value.get("call")
        if call is not None:
            found[call["key"]] = call["tool"]
        elif "@" in place.rpartition("/")[2]:  # not a question to people
            found[place[:-1]] = ""
    return found
