"""Findings for people and for machines: text, JSON, GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pipelang.diagnostics.codes import Severity
from pipelang.diagnostics.diagnostic import Diagnostic
from pipelang.diagnostics.source import Source, Sources, Span

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}


def as_json(diagnostic: Diagnostic, sources: Sources) -> dict[str, Any]:
    """The documented record of a finding; lines and columns from 1."""
    span = diagnostic.span
    source = sources.get(span.file) if span is not None else None
    start = source.position(span.start) if source is not None and span is not None else None
    end = source.position(span.end) if source is not None and span is not None else None
    return {
        "code": diagnostic.rule.code,
        "name": diagnostic.rule.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "file": span.file if span is not None else None,
        "line": start.line if start else None,
        "column": start.column if start else None,
        "end_line": end.line if end else None,
        "end_column": end.column if end else None,
    }


def as_text(diagnostic: Diagnostic, sources: Sources, colour: bool = False) -> str:
    """A finding with its line of source, an underline, and the mend."""

    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    rule, span = diagnostic.rule, diagnostic.span
    tone = _COLOURS[diagnostic.severity]
    head = paint(f"1;{tone}", f"{diagnostic.severity.value}[{rule.code}]")
    lines = [f"{head}{paint('1', ': ' + diagnostic.message)}"]
    source = sources.get(span.file) if span is not None else None
    if span is not None and source is not None:
        lines += _excerpt(source, span, tone, paint)
    for label in diagnostic.labels:
        where = sources.get(label.span.file)
        if where is not None:
            line, column = where.position(label.span.start)
            lines.append(f"  note: {label.text} ({where.name}:{line}:{column})")
    if diagnostic.help:
        lines.append(f"  {paint('36', 'help')}: {diagnostic.help}")
    return "\n".join(lines)


def _excerpt(source: Source, span: Span, tone: str, paint: Any) -> list[str]:
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    text = source.line(line).replace("\t", " ")
    width = max(1, (end_column if end_line == line else len(text) + 1) - column)
    number = str(line)
    gutter = " " * len(number)
    start = 0
    if column > 90:  # show the place, not the start of a very long line
        start = column - 40
    shown = text[start : start + 110]
    mark = " " * (column - 1 - start) + "^" * max(1, min(width, 110 - (column - 1 - start)))
    return [
        f"{gutter}--> {source.name}:{line}:{column}",
        f"{paint('34', number + ' |')} {shown}",
        f"{paint('34', gutter + ' |')} {paint(tone, mark)}",
    ]


def as_github(diagnostic: Diagnostic, sources: Sources) -> str:
    """A workflow command that GitHub shows beside the line."""
    record = as_json(diagnostic, sources)
    level = "notice" if diagnostic.severity is Severity.NOTE else diagnostic.severity.value
    text = diagnostic.message + (f" ({diagnostic.help})" if diagnostic.help else "")
    place = ""
    if record["line"] is not None:
        place = (
            f" file={record['file']},line={record['line']},col={record['column']},"
            f"endLine={record['end_line']},endColumn={record['end_column']},"
            f"title={diagnostic.rule.code}"
        )
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level}{place}::{escaped}"


def as_sarif(diagnostics: Iterable[Diagnostic], sources: Sources, version: str) -> dict[str, Any]:
    """A SARIF 2.1.0 log with one run."""
    found = list(diagnostics)
    rules = {diagnostic.rule.code: diagnostic.rule for diagnostic in found}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "pipelang",
                        "version": version,
                        "rules": [{"id": r.code, "name": r.name} for r in rules.values()],
                    }
                },
                "results": [_sarif_result(diagnostic, sources) for diagnostic in found],
            }
        ],
    }


def _sarif_result(diagnostic: Diagnostic, sources: Sources) -> dict[str, Any]:
    record = as_json(diagnostic, sources)
    result: dict[str, Any] = {
        "ruleId": diagnostic.rule.code,
        "level": diagnostic.severity.value,
        "message": {"text": diagnostic.message},
    }
    if record["file"] is not None:
        location: dict[str, Any] = {"artifactLocation": {"uri": record["file"]}}
        if record["line"] is not None:
            location["region"] = {
                "startLine": record["line"],
                "startColumn": record["column"],
                "endLine": record["end_line"],
                "endColumn": record["end_column"],
            }
        result["locations"] = [{"physicalLocation": location}]
    return result


def dumps(value: Any) -> str:
    """JSON as pipelang prints it: indented, UTF-8, no NaN."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
