"""Completion inside quotes: files that may be named, and variables of a prompt's template."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from itertools import islice

from lsprotocol import types as lsp

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.hover import full
from pipelang.interfaces.language_server.features.writing.place import CompletionPlace
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import Root
from pipelang.semantics.types import RecordType, Type, present

K = lsp.CompletionItemKind
MOST_FILES = 500
"""So many are offered."""
MOST_LOOKED_AT = 5000
"""So many entries of folders are looked at for them."""


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
    start, end = token.start + 1, offset
    begun = os.path.dirname(text[start:end])
    own = os.path.normpath(root.path)
    for file in islice(_files_near(os.path.join(folder, begun), endings), MOST_FILES):
        if os.path.normpath(file) != own:
            path = os.path.relpath(file, folder).replace(os.sep, "/")
            edit = lsp.TextEdit(lines.range(start, end), path)
            yield lsp.CompletionItem(label=path, kind=K.File, text_edit=edit)


def _files_near(folder: str, endings: tuple[str, ...]) -> Iterator[str]:
    """Files below a folder, the nearest first, among the first `MOST_LOOKED_AT` entries.

    A key must not wait for a large folder; what lies deeper is found once its folder is typed.
    """
    waiting, left = deque([folder]), MOST_LOOKED_AT
    while waiting and left > 0:
        try:
            with os.scandir(waiting.popleft()) as entries:
                found = sorted(islice(entries, left), key=lambda one: one.name)
        except OSError:
            continue  # not there, or not to be read: nothing to offer
        left -= len(found)
        for one in found:
            if one.is_dir(follow_symlinks=False):
                if not one.name.startswith((".", "__")):
                    waiting.append(one.path)
            elif one.name.endswith(endings):
                yield one.path


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
