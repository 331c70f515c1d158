"""Completion inside quotes: files that may be named, and variables of a prompt's template."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lsprotocol import types as lsp

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.hover import full
from pipelang.interfaces.language_server.features.writing.place import CompletionPlace
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import Root
from pipelang.semantics.types import RecordType, Type, present

K = lsp.CompletionItemKind
MOST_FILES = 500


def completions_in_text(
    root: Root, place: CompletionPlace, lines: TextLines, offset: int
) -> Iterator[lsp.CompletionItem]:
    """Inside quotes: files after `use` and `from`; inside a template's braces: its variables."""
    token = place.in_text
    assert token is not None
    text = lines.text
    if token.type == "TEMPLATE":
        opened = text.rfind("{{", token.start, offset)
        tagged = text.rfind("{%", token.start, offset)
        closed = max(text.rfind("}}", token.start, offset), text.rfind("%}", token.start, offset))
        if max(opened, tagged) > closed:
            yield from _variables(root, text, max(opened, tagged), offset)
        return
    before = [one for one in place.before if one.end <= token.start]
    word = before[-1].text if before else ""
    endings = {"use": (".pipe",), "from": (".jsonl", ".j2"), "python": ()}.get(word)
    if not endings:
        return
    folder = os.path.dirname(root.path) or "."
    for inside, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith((".", "__")))[:50]
        for name in sorted(files):
            if name.endswith(endings):
                path = os.path.relpath(os.path.join(inside, name), folder).replace(os.sep, "/")
                if os.path.normpath(os.path.join(folder, path)) != os.path.normpath(root.path):
                    start, end = token.start + 1, offset
                    edit = lsp.TextEdit(lines.range(start, end), path)
                    yield lsp.CompletionItem(label=path, kind=K.File, text_edit=edit)


def _variables(root: Root, text: str, begin: int, offset: int) -> Iterator[lsp.CompletionItem]:
    """Parameters of the prompt around a place, or fields after a dot."""
    made = root.survey if root.survey and root.survey.draft else root.sound
    if made is None or made.draft is None or made.symbols is None:
        return
    owner = None
    for key, symbol in made.symbols.by_key.items():
        span: Span = symbol.declaration.span
        if symbol.kind == "prompt" and symbol.file == root.path and span.start <= offset:
            owner = key
    if owner is None or owner not in made.draft.prompts:
        return
    types = {one.name: one.type for one in made.draft.prompts[owner].parameters}
    written = text[begin + 2 : offset]
    chain = written[max(map(written.rfind, " |(~,")) + 1 :].split(".")
    if len(chain) == 1:
        for name, one in types.items():
            yield lsp.CompletionItem(label=name, kind=K.Variable, detail=full(one))
        yield lsp.CompletionItem(label="feedback", kind=K.Variable, detail="text?")
        return
    found: Type | None = types.get(chain[0])
    for name in chain[1:-1]:
        inner = None if found is None else present(found)
        field = inner.field(name) if isinstance(inner, RecordType) else None
        found = None if field is None else field.type
    record = None if found is None else present(found)
    if isinstance(record, RecordType):
        for part in record.fields:
            yield lsp.CompletionItem(label=part.name, kind=K.Field, detail=full(part.type))
