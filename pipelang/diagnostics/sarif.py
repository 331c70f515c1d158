"""Findings as a SARIF 2.1.0 log, which code hosts and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from pipelang.diagnostics.codes import Rule
from pipelang.diagnostics.diagnostic import Diagnostic, Edit
from pipelang.diagnostics.source import Sources, Span


def as_sarif(diagnostics: Iterable[Diagnostic], sources: Sources, version: str) -> dict[str, Any]:
    """A SARIF 2.1.0 log with one run."""
    found = list(diagnostics)
    rules = sorted({diagnostic.rule.code: diagnostic.rule for diagnostic in found}.items())
    numbers = {code: number for number, (code, _) in enumerate(rules)}
    driver = {
        "name": "pipelang",
        "version": version,
        "rules": [_rule(rule) for _, rule in rules],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic, numbers, sources) for diagnostic in found],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.template},
        "defaultConfiguration": {"level": rule.severity.value},
    }
    if rule.help:
        described["help"] = {"text": rule.help}
    return described


def _result(diagnostic: Diagnostic, numbers: dict[str, int], sources: Sources) -> dict[str, Any]:
    code = diagnostic.rule.code
    text = diagnostic.message + (f"\n{diagnostic.help}" if diagnostic.help else "")
    result: dict[str, Any] = {
        "ruleId": code,
        "ruleIndex": numbers[code],
        "level": diagnostic.severity.value,
        "message": {"text": text},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span, sources)]
    if diagnostic.labels:
        result["relatedLocations"] = [
            {**_location(label.span, sources), "message": {"text": label.text}, "id": number}
            for number, label in enumerate(diagnostic.labels, 1)
        ]
    if diagnostic.edits:
        result["fixes"] = [_fix(diagnostic)]
    return result


def _location(span: Span, sources: Sources) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(span.file)}}
    source = sources.get(span.file)
    if source is not None:
        start, end = source.position(span.start), source.position(span.end)
        physical["region"] = {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        }
    return {"physicalLocation": physical}


def _fix(diagnostic: Diagnostic) -> dict[str, Any]:
    by_file: dict[str, list[Edit]] = {}
    for edit in diagnostic.edits:
        by_file.setdefault(edit.span.file, []).append(edit)
    changes = [
        {
            "artifactLocation": {"uri": uri(file)},
            "replacements": [
                {
                    "deletedRegion": {
                        "charOffset": edit.span.start,
                        "charLength": edit.span.end - edit.span.start,
                    },
                    "insertedContent": {"text": edit.replacement},
                }
                for edit in edits
            ],
        }
        for file, edits in by_file.items()
    ]
    fix: dict[str, Any] = {"artifactChanges": changes}
    if diagnostic.help:
        fix["description"] = {"text": diagnostic.help}
    return fix


def uri(file: str) -> str:
    """A file as a URI reference: relative ones stay so."""
    path = PurePath(file)
    if path.is_absolute():
        return path.as_uri()
    # A colon in the first part would make it a scheme.
    return quote(path.as_posix(), safe="/", errors="surrogateescape")
