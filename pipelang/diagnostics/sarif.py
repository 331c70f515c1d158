"""Findings as a SARIF 2.1.0 log, which code hosts and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html

Places are relative to the folder where the check was called, which code hosts take for the root of
the repository. A finding's fingerprint is made of what does not change when lines move: the code,
the file, the words on its line, and which of several alike it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelang.diagnostics.codes import RULES, Rule
from pipelang.diagnostics.diagnostic import Diagnostic, Edit
from pipelang.diagnostics.explanation import Page, page_of
from pipelang.diagnostics.lookup import FAMILIES, placeholders
from pipelang.diagnostics.render import in_words
from pipelang.diagnostics.source import Sources, Span

ROOT = "%SRCROOT%"
FINGERPRINT = "pipelang/v1"


def as_sarif(
    diagnostics: Iterable[Diagnostic], sources: Sources, version: str, root: str | None = None
) -> dict[str, Any]:
    """A SARIF 2.1.0 log with one run. `root` is the absolute path of the folder of the check."""
    found = list(diagnostics)
    # A profile may have raised a finding's weight; the rule is described as the table has it.
    rules = [RULES[code] for code in sorted({diagnostic.rule.code for diagnostic in found})]
    numbers = {rule.code: number for number, rule in enumerate(rules)}
    driver = {"name": "pipelang", "version": version, "rules": [_rule(rule) for rule in rules]}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": _results(found, numbers, sources, root),
    }
    if root is not None:
        run["originalUriBaseIds"] = {ROOT: {"uri": f"{Path(root).as_uri().rstrip('/')}/"}}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    """A row of the table with its page."""
    page = page_of(rule.code)
    described: dict[str, Any] = {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": placeholders(rule.template)},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": [FAMILIES[rule.code[:2]]]},
    }
    if page is not None:
        described["fullDescription"] = {"text": page.paragraphs[0]}
        described["help"] = {"text": _plain(rule, page), "markdown": _markdown(page)}
    return described


def _plain(rule: Rule, page: Page) -> str:
    parts = list(page.paragraphs)
    if rule.help:
        parts.append(f"The mend: {placeholders(rule.help)}.")
    return "\n\n".join(parts)


def _markdown(page: Page) -> str:
    heads = {"wrong": "Wrong:", "right": "Right:"}
    parts = list(page.paragraphs)
    for fence in page.fences:
        parts.append(heads.get(fence.label, f"With `{fence.label}`:"))
        parts.append(f"```{fence.language}\n{fence.text}```")
    return "\n\n".join(parts)


def _results(
    found: list[Diagnostic], numbers: dict[str, int], sources: Sources, root: str | None
) -> list[dict[str, Any]]:
    results, alike = [], Counter[str]()
    for diagnostic in found:
        result = _result(diagnostic, numbers, sources, root)
        mark = _fingerprint(diagnostic, sources, root)
        alike[mark] += 1
        result["partialFingerprints"] = {FINGERPRINT: f"{mark}:{alike[mark]}"}
        results.append(result)
    return results


def _fingerprint(diagnostic: Diagnostic, sources: Sources, root: str | None) -> str:
    span = diagnostic.span
    parts = [diagnostic.rule.code]
    if span is None:
        parts.append(diagnostic.message)
    else:
        parts.append(uri(span.file, root))
        source = sources.get(span.file)
        if source is not None:
            parts.append(" ".join(source.line(source.position(span.start).line).split()))
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _result(
    diagnostic: Diagnostic, numbers: dict[str, int], sources: Sources, root: str | None
) -> dict[str, Any]:
    code = diagnostic.rule.code
    result: dict[str, Any] = {
        "ruleId": code,
        "ruleIndex": numbers[code],
        "level": diagnostic.severity.value,
        "message": {"text": in_words(diagnostic)},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span, sources, root)]
    if diagnostic.labels:
        result["relatedLocations"] = [
            {**_location(label.span, sources, root), "message": {"text": label.text}, "id": number}
            for number, label in enumerate(diagnostic.labels, 1)
        ]
    if diagnostic.edits:
        result["fixes"] = [_fix(diagnostic, root)]
    return result


def _location(span: Span, sources: Sources, root: str | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(span.file, root)}
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


def _fix(diagnostic: Diagnostic, root: str | None) -> dict[str, Any]:
    by_file: dict[str, list[Edit]] = {}
    for edit in diagnostic.edits:
        by_file.setdefault(edit.span.file, []).append(edit)
    changes = [
        {
            "artifactLocation": _artifact(file, root),
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


def _artifact(file: str, root: str | None) -> dict[str, Any]:
    """A file's place; below the root it is named from there."""
    place = uri(file, root)
    inside = root is not None and not place.startswith(("../", "file:"))
    return {"uri": place, "uriBaseId": ROOT} if inside else {"uri": place}


def uri(file: str, root: str | None = None) -> str:
    """A file as a URI reference: relative ones stay so, absolute ones below the root become so."""
    path = Path(file)
    if path.is_absolute():
        if root is None or not path.is_relative_to(root):
            return path.as_uri()
        path = path.relative_to(root)
    # A colon in the first part would make it a scheme.
    return quote(path.as_posix(), safe="/", errors="surrogateescape")
