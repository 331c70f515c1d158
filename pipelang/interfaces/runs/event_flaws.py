"""Events that no run of ours wrote: lines of a trace that was edited, or is another program's.

What reads traces formats amounts and names words, and relies on the keys that stand here. Kinds and
keys that are not known may be those of a newer version, and are no flaw.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from pipelang.runtime.files.strict_json import is_number

MOST = sys.float_info.max


def fits(kind: str, data: Mapping[str, Any]) -> bool:
    """Whether an event has what its kind says, and each known key of it a value of its type."""
    if not all(key in data for key in _needed(kind, data)):
        return False
    if kind == "outcome":  # a run whose amounts cannot be is told of as a whole, not as one without
        return True
    if kind in ("answer", "turn"):
        whose = data.get("tier", "")
        if not _is_text(whose) or not _is_confidence(data.get("confidence", 0)):
            return False
    return all(key not in data or of_type(data[key]) for key, of_type in _TYPES.items())


def amounts_fit(outcome: Mapping[str, Any]) -> bool:
    """Whether the amounts of a run's outcome can be."""
    seconds, tokens = outcome.get("seconds", 0), outcome.get("tokens", 0)
    return is_amount(seconds) and _is_amount_or_none(outcome.get("cost", 0)) and _is_count(tokens)


def header_fits(header: Mapping[str, Any]) -> bool:
    """Whether the first line of a trace is one: its parts are texts, or not there."""
    return all(header.get(key) is None or isinstance(header[key], str) for key in _HEADER)


def is_amount(value: Any) -> bool:
    """Whether a value is a number that can be an amount."""
    return is_number(value) and 0 <= value <= MOST


def _is_amount_or_none(value: Any) -> bool:
    return value is None or is_amount(value)


def _is_confidence(value: Any) -> bool:
    """Whether an answer's confidence is a number: of a field with bounds of its own, perhaps."""
    return is_number(value) and abs(value) <= MOST


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and is_amount(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_HEADER = ("run", "pipeline", "program", "started", "tenant", "thread", "file")

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "wait": is_amount,
    **dict.fromkeys(("cost", "seconds"), _is_amount_or_none),
    **dict.fromkeys(("tokens_in", "tokens_out", "tokens", "calls", "elements"), _is_count),
    **dict.fromkeys(("tool", "effect", "dimension", "state", "why"), _is_text),
    "tally": lambda value: isinstance(value, list),
}
"""Keys whose values are formatted or added up."""

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "result": ("tool", "effect"),
    "effect": ("tool", "effect"),
    "recall": ("memory",),
    "failed": ("why",),
    "retry": ("wait",),
    "vote": ("calls", "tally"),
    "until": ("accepted", "tier"),
    "each": ("answered", "elements"),
    "gate": ("passed",),
    "redo": ("gate",),
    "when": ("holds",),
    "match": ("value",),
    "route": ("value",),
    "runs": ("pipeline",),
    "returned": ("pipeline", "outcome"),
    "asks": ("role",),
    "budget": ("dimension",),
    "quota": ("state",),
    "breaker": ("state",),
    "case": ("what", "role", "case"),
    "ended": ("outcome",),
}
"""Keys that every event of a kind has."""


def _needed(kind: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    match kind:
        case "answer" | "turn" if "tier" in data:  # a person's, and one from nobody, has no tokens
            return ("tokens_in", "tokens_out")
        case "approve" | "hold" if data.get("asked"):
            return ("answered", "passed", "by") if data.get("answered") else ("answered",)
        case "approve" | "hold":
            return ("asked",)
        case "quota" if data.get("state") == "spent":
            return ("state", "limit")
        case _:
            return _NEEDED.get(kind, ())
