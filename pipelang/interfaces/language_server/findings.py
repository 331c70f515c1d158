"""Findings of open files as the protocol tells them, with those of the last analysis.

What a survey finds is of the text as it is. What only the analysis finds is of the text that was
analysed: until there is an analysis of the new text it stays where its line has gone to, and says
so; where the line itself was changed, it goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.analysis.plain_findings import PlainFinding, key_of
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.positions import TextChange, TextLines, change_between
from pipelang.interfaces.language_server.session import CURRENT, Root

SEVERITIES = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "note": lsp.DiagnosticSeverity.Information,
}
STALE = "of the text before your last change: "
_UNUSED = frozenset({"unused", "unused-permit", "unreachable", "unreachable-arm"})


def findings_of(root: Root, documents: Documents) -> Iterator[tuple[PlainFinding, bool]]:
    """The findings of a root with their places in the texts as they are, and whether each is from
    before the last change.
    """
    numbers = root.numbers
    if numbers is not None and root.state == CURRENT:
        yield from ((found, False) for found in numbers["findings"])
        return
    yield from ((found, False) for found in root.findings)
    if numbers is None:
        return
    quick = {key_of(found) for found in root.quick}
    changes: dict[str, TextChange | None] = {}
    for found in numbers["findings"]:
        if key_of(found) in quick:
            continue
        shifted = _shifted(found, numbers["texts"], documents, changes)
        if shifted is not None:
            yield shifted, True


def _shifted(
    found: PlainFinding,
    texts: dict[str, str],
    documents: Documents,
    changes: dict[str, TextChange | None],
) -> PlainFinding | None:
    """An older finding where it is now; without its edits, which were for another text. `changes`
    keeps what happened to each file: thousands of findings may stand in one.
    """
    place = found["place"]
    if place is None:
        return found
    file, start, end = place
    if file not in changes:
        changes[file] = _change(file, texts, documents)
    change = changes[file]
    if change is None:
        return {**found, "edits": []}
    now = change.moved(start, end)
    if now is None:
        return None
    same = change.head == change.rest and not change.by
    return {**found, "place": [file, *now], "edits": found["edits"] if same else []}


def _change(file: str, texts: dict[str, str], documents: Documents) -> TextChange | None:
    before, document = texts.get(file), documents.open.get(file)
    if before is None or document is None:
        return None
    return change_between(before, document.text)


def diagnostics_of(path: str, roots: dict[str, Root], documents: Documents) -> list[lsp.Diagnostic]:
    """The diagnostics of a file: its own where it is open, and those of what imports it. A circle
    of imports closes in another file than the one that was looked at first.
    """
    own = roots.get(path)
    mine = [] if own is None else [own]
    mine += [root for root in roots.values() if root is not own and _reads(root, path, documents)]
    made: dict[tuple[Any, ...], lsp.Diagnostic] = {}
    for root in mine:
        text = None if root.survey is None else root.survey.built.sources.get(path)
        lines = documents.lines_of(path, None if text is None else text.text)
        for found, old in findings_of(root, documents):
            place = found["place"]
            if old and own is not None and root is not own:
                continue  # of its text as it is the file itself has said more
            if place is None and root.path == path:
                place = [path, 0, 0]
            if place is not None and place[0] == path:
                key = key_of(found)
                made.setdefault(key, _diagnostic(found, place, lines, documents, old))
    return list(made.values())


def _reads(root: Root, path: str, documents: Documents) -> bool:
    """Whether the findings of a root may tell of another file: of an open one as it is now."""
    document = documents.open.get(path)
    if document is None:
        return True
    read = root.survey is not None and path in root.survey.built.sources
    return read and root.texts.get(path) == document.text


def files_with_findings(root: Root, documents: Documents) -> set[str]:
    """The files that the findings of a root point into."""
    return {found["place"][0] for found, _ in findings_of(root, documents) if found["place"]}


def _diagnostic(
    found: PlainFinding, place: list[Any], lines: TextLines, documents: Documents, old: bool
) -> lsp.Diagnostic:
    message = found["message"] + (f"\nhelp: {found['help']}" if found["help"] else "")
    related = [
        lsp.DiagnosticRelatedInformation(
            lsp.Location(documents.uri_of(file), documents.lines_of(file).range(start, end)), text
        )
        for file, start, end, text in found["labels"]
    ]
    return lsp.Diagnostic(
        range=_at_least_a_letter(lines, place[1], place[2]),
        message=STALE + message if old else message,
        severity=SEVERITIES[found["severity"]],
        code=found["code"],
        source="pipelang",
        tags=[lsp.DiagnosticTag.Unnecessary] if found["name"] in _UNUSED else None,
        related_information=related or None,
        data={"code": found["code"], "stale": old},
    )


def _at_least_a_letter(lines: TextLines, start: int, end: int) -> lsp.Range:
    """A range that can be seen: of an empty place the letter before it, on its line; of several
    lines the first, as `check` shows it.
    """
    if end > start:
        found = lines.range(start, end)
        if found.end.line > found.start.line:
            first = found.start.line
            end = lines.offset(lsp.Position(first, 0)) + len(lines.line(first))
        return lines.range(start, max(end, start + 1))
    at = lines.position(start)
    if at.character:
        return lsp.Range(lines.position(start - 1), at)
    return lines.range(start, min(start + 1, len(lines.text)))
