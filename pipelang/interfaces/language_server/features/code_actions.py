"""Code actions: each edit that `check --fix` would make, each piece of advice, explanations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.features.lenses import pipelines_in
from pipelang.interfaces.language_server.features.outline import told_apart
from pipelang.interfaces.language_server.findings import findings_of
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import CURRENT, Root
from pipelang.syntax import ast

EXPLAIN = "pipelang.explain"
"""The command behind an explanation, with a code."""
FIX_ALL = "source.fixAll.pipelang"


def code_actions(
    root: Root,
    documents: Documents,
    lines: TextLines,
    wanted: lsp.Range,
    only: Iterable[str] | None,
) -> list[lsp.CodeAction | lsp.Command]:
    """Actions for a range of a file; `only` of some kinds, where a client says which."""
    start, end = lines.offset(wanted.start), lines.offset(wanted.end)
    every = [*_fixes(root, documents, start, end), *_all_fixes(root, documents)]
    every += _advice(root, documents, start, end)
    if only is None:
        return [*every, *_explanations(root, start, end)]
    kinds = tuple(only)
    return [
        action
        for action in every
        if any(f"{_kind(action)}.".startswith(f"{kind}.") for kind in kinds)
    ]


def _kind(action: lsp.CodeAction) -> str:
    kind = action.kind
    return str(getattr(kind, "value", kind))


def edit_of(edits: Iterable[list[Any]], documents: Documents) -> lsp.WorkspaceEdit:
    """Edits as the protocol has them, for the texts that are open or on the disk."""
    changes: dict[str, list[lsp.TextEdit]] = {}
    for file, start, end, text in edits:
        made = lsp.TextEdit(documents.lines_of(file).range(start, end), text)
        changes.setdefault(documents.uri_of(file), []).append(made)
    return lsp.WorkspaceEdit(changes=changes)


def _touching(root: Root, documents: Documents, start: int, end: int) -> Iterator[dict[str, Any]]:
    """The findings of the text as it is that touch a range of it."""
    for found, old in findings_of(root, documents):
        place = found["place"]
        if old or place is None or place[0] != root.path:
            continue
        line = _whole_line(root, documents, place[1])
        if place[1] <= end and start <= max(place[2], line):
            yield found


def _whole_line(root: Root, documents: Documents, start: int) -> int:
    lines = documents.lines_of(root.path)
    number = lines.position(start).line
    return lines.offset(lsp.Position(number, 0)) + len(lines.line(number))


def _fixes(root: Root, documents: Documents, start: int, end: int) -> Iterator[lsp.CodeAction]:
    for found in _touching(root, documents, start, end):
        if found["edits"]:
            yield lsp.CodeAction(
                title=f"{found['code']}: {_words(found, documents)}",
                kind=lsp.CodeActionKind.QuickFix,
                is_preferred=True,
                edit=edit_of(found["edits"], documents),
            )


def _words(found: dict[str, Any], documents: Documents) -> str:
    file, start, end, by = found["edits"][0]
    was = documents.lines_of(file).text[start:end]
    if not was.strip():
        return f"put in `{by.strip()}`"
    return f"`{was}` → `{by.strip()}`" if by.strip() else f"leave out `{was.strip()}`"


def _all_fixes(root: Root, documents: Documents) -> Iterator[lsp.CodeAction]:
    """All fixes of a file that do not touch each other as one action: a round of `--fix`."""
    edits = all_fixes(root, documents)
    if edits:
        yield lsp.CodeAction(
            title="Make every safe fix of this file",
            kind=FIX_ALL,
            edit=edit_of(edits, documents),
        )


def all_fixes(root: Root, documents: Documents) -> list[list[Any]]:
    """The edits of findings in this file that do not touch those of an earlier one."""
    taken: list[list[Any]] = []
    for found, old in findings_of(root, documents):
        mine = found["edits"]
        if old or not mine or any(edit[0] != root.path for edit in mine):
            continue
        if not any(edit[1] <= other[2] and other[1] <= edit[2] for edit in mine for other in taken):
            taken += mine
    return taken


def _advice(root: Root, documents: Documents, start: int, end: int) -> Iterator[lsp.CodeAction]:
    """Advice on the pipeline around a range, while it is about the text as it is."""
    if root.state != CURRENT:
        return
    for key, declaration in pipelines_in(root):
        if not (declaration.span.start <= end and start <= declaration.span.end):
            continue
        here = _steps_at(declaration, start, end)
        told = root.advice.get(key, [])
        for one in sorted(told, key=lambda one: one["step"] not in here):
            if one["edits"]:
                yield lsp.CodeAction(
                    title=f"Advice: {one['title']}" + (" ✓" if one["reaches"] else ""),
                    kind=lsp.CodeActionKind.RefactorRewrite,
                    edit=edit_of(one["edits"], documents),
                )


def _steps_at(declaration: ast.PipelineDecl, start: int, end: int) -> set[str]:
    return {
        name
        for name, item in told_apart(declaration.items)
        if isinstance(item, (ast.Step, ast.Gate))
        and item.span.start <= end
        and start <= item.span.end
    }


def _explanations(root: Root, start: int, end: int) -> Iterator[lsp.Command]:
    codes: dict[str, str] = {}
    numbers = root.numbers or {}
    for found in (*root.findings, *(numbers.get("findings", []) if root.state == CURRENT else ())):
        place = found["place"]
        if place is not None and place[0] == root.path and place[1] <= end and start <= place[2]:
            codes.setdefault(found["code"], found["name"])
    for code, name in codes.items():
        yield lsp.Command(f"Explain {code} ({name})", EXPLAIN, arguments=[code])
