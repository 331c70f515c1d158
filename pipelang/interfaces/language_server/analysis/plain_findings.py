"""Findings as plain values, so that they can go from one process to another and be kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelang.diagnostics import Diagnostic, Edit, Span

PlainFinding = dict[str, Any]
"""`code`, `name`, `severity`, `message`, `help`, `place` (file, start, end; or None), `labels` and
`edits` (file, start, end, text).
"""


def plain_finding(found: Diagnostic) -> PlainFinding:
    """A finding without the classes."""
    return {
        "code": found.rule.code,
        "name": found.rule.name,
        "severity": found.severity.value,
        "message": found.message,
        "help": found.help,
        "place": _place(found.span),
        "labels": [[*label.span, label.text] for label in found.labels],
        "edits": plain_edits(found.edits),
    }


def plain_edits(edits: Iterable[Edit]) -> list[list[Any]]:
    """Edits without the classes."""
    return [[*edit.span, edit.replacement] for edit in edits]


def _place(span: Span | None) -> list[Any] | None:
    return None if span is None else list(span)


def key_of(found: PlainFinding) -> tuple[Any, ...]:
    """By which two findings are one."""
    place = found["place"]
    return found["code"], found["message"], None if place is None else tuple(place)
