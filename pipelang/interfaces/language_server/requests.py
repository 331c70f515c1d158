"""Answers of a server, request by request, without the protocol's transport.

Every answer waits for the survey of the text as it is, but not for long: what is not ready by then
is answered by the survey before it.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from pipelang.diagnostics import Source, Span, has_errors
from pipelang.interfaces.check.disk_loader import SUFFIX
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.features import lenses, outline
from pipelang.interfaces.language_server.features.code_actions import code_actions
from pipelang.interfaces.language_server.features.hover import hover
from pipelang.interfaces.language_server.features.names import NameTable, names_of
from pipelang.interfaces.language_server.features.outer_places import outer_place
from pipelang.interfaces.language_server.features.renaming import NameRefused, rename
from pipelang.interfaces.language_server.features.semantic_tokens import semantic_tokens
from pipelang.interfaces.language_server.features.writing.completion import complete
from pipelang.interfaces.language_server.features.writing.signatures import signature_help
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.program_index import ProgramIndex
from pipelang.interfaces.language_server.session import EditorSession, Root
from pipelang.semantics.build import Survey
from pipelang.syntax.format import format_source
from pipelang.syntax.parse import Parsed

Parsing = tuple[TextLines, Parsed]

MOST_SYMBOLS = 500
"""Symbols that a search of the workspace answers."""


class Requests:
    """The answers of a session."""

    def __init__(self, session: EditorSession) -> None:
        self.session = session
        self.index = ProgramIndex()
        self._names: dict[int, tuple[Survey, NameTable]] = {}

    @property
    def documents(self) -> Documents:
        return self.session.documents

    # ------------------------------------------------------------------------------ places

    async def _at(
        self, document: lsp.TextDocumentIdentifier, position: lsp.Position
    ) -> tuple[Root, TextLines, str, int] | None:
        """The root that knows a file, its lines, its path and the offset of a place. A file that is
        no root itself (a template) is known by what names it, which need not be open.
        """
        path = self.documents.path_of(document.uri)
        root = await self.session.fresh(path)
        if root is None:
            roots = [await self.session.fresh(name) for name in list(self.session.roots)]
            root = next((one for one in roots if one is not None and one.is_made_of(path)), None)
        if root is None and not path.endswith(SUFFIX):
            known = self.index.survey_of_part, path, self.documents, self.documents.texts()
            made = await self.session.over_workspace(*known)
            root = None if made is None else Root(made.loaded.root, made)
        if root is None:
            return None
        lines = self._lines(root, path)
        return root, lines, path, lines.offset(position)

    async def _name_at(
        self, document: lsp.TextDocumentIdentifier, position: lsp.Position
    ) -> tuple[Root, TextLines, str, NameTable, tuple[Span, Span]] | None:
        """The answer of `_at` for a place with a name; the names of its root, where the name stands
        and where it was declared.
        """
        place = await self._at(document, position)
        if place is None or place[0].survey is None:
            return None
        root, lines, path, offset = place
        assert root.survey is not None
        names = self.names(root.survey)
        found = names.at(path, offset)
        return None if found is None else (root, lines, path, names, found)

    def _lines(self, root: Root, path: str) -> TextLines:
        source = None if root.survey is None else root.survey.built.sources.get(path)
        return self.documents.lines_of(path, None if source is None else source.text)

    def names(self, survey: Survey) -> NameTable:
        """The names of a survey, made once."""
        if id(survey) not in self._names or self._names[id(survey)][0] is not survey:
            if len(self._names) > 20:
                self._names.clear()
            self._names[id(survey)] = (survey, names_of(survey))
        return self._names[id(survey)][1]

    async def _parsed(self, document: lsp.TextDocumentIdentifier) -> Parsing | None:
        """The lines of an open file and its tree."""
        path = self.documents.path_of(document.uri)
        opened = self.documents.open.get(path)
        if opened is None or not path.endswith(SUFFIX):
            return None
        root, lines = await self.session.fresh(path), opened.lines
        if root is not None and root.survey is not None:
            loaded = root.survey.loaded
            if path in loaded.modules and loaded.sources[path].text == lines.text:
                return lines, loaded.modules[path].parsed
        read = await self.session.in_thread(self.index.parse, path, {path: lines.text})
        return None if read is None else (lines, read[1])

    def _location(self, root: Root, span: Span) -> lsp.Location:
        lines = self._lines(root, span.file)
        return lsp.Location(self.documents.uri_of(span.file), lines.range_of(span))

    # ------------------------------------------------------------------------------ numbers

    async def lenses(self, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        path = self.documents.path_of(params.text_document.uri)
        root = await self.session.fresh(path)
        if root is None:
            return []
        return lenses.lenses(root, params.text_document.uri, self._lines(root, path))

    async def hints(self, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        path = self.documents.path_of(params.text_document.uri)
        root = await self.session.fresh(path)
        return [] if root is None else lenses.hints(root, self._lines(root, path), params.range)

    # ------------------------------------------------------------------------------ writing

    async def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        place = await self._at(params.text_document, params.position)
        if place is None or place[0].survey is None:
            return None
        root, lines, path, offset = place
        assert root.survey is not None
        found = hover(root, self.names(root.survey), path, offset)
        if found is None:
            return None
        content = lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text)
        return lsp.Hover(content, lines.range(found.start, found.end))

    async def completion(self, params: lsp.CompletionParams) -> lsp.CompletionList:
        place = await self._at(params.text_document, params.position)
        if place is None:
            return lsp.CompletionList(is_incomplete=False, items=[])
        root, lines, path, offset = place
        items = complete(root, self.documents, lines, offset) if path == root.path else []
        return lsp.CompletionList(is_incomplete=False, items=items)

    async def signature_help(self, params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        place = await self._at(params.text_document, params.position)
        return None if place is None else signature_help(place[0], place[1], place[3])

    async def formatting(self, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        """One edit, of the lines that change; none for a file with errors."""
        document = self.documents.open.get(self.documents.path_of(params.text_document.uri))
        if document is None or not document.path.endswith(SUFFIX):
            return None
        text = document.text
        source, lines = Source(document.path, text), document.lines
        after, found = await self.session.in_thread(format_source, source)
        if has_errors(found):
            return None
        if 2 * text.count("\r\n") > text.count("\n"):
            after = after.replace("\n", "\r\n")
        return [] if after == text else [_smallest_edit(lines, after)]

    async def code_actions(
        self, params: lsp.CodeActionParams
    ) -> list[lsp.CodeAction | lsp.Command]:
        path = self.documents.path_of(params.text_document.uri)
        root = await self.session.fresh(path)
        if root is None:
            return []
        only = params.context.only
        kinds = None if only is None else [str(getattr(kind, "value", kind)) for kind in only]
        lines = self._lines(root, path)
        return code_actions(root, self.documents, lines, params.range, kinds)

    # ------------------------------------------------------------------------------ going

    async def definition(self, params: lsp.DefinitionParams) -> list[lsp.Location] | None:
        place = await self._at(params.text_document, params.position)
        if place is None or place[0].survey is None:
            return None
        root, _, path, offset = place
        assert root.survey is not None
        found = self.names(root.survey).at(path, offset)
        if found is not None:
            return [self._location(root, found[1])]
        outer = outer_place(root.survey, self.documents, path, offset)
        if outer is None:
            return None
        lines = self._lines(root, outer.path)
        uri = self.documents.uri_of(outer.path)
        return [lsp.Location(uri, lines.range(outer.start, outer.end))]

    async def references(self, params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        found = await self._programs(params.text_document, params.position)
        if found is None:
            return None
        root, declared, programs = found
        places = {span for names in programs.values() for span in names.of(declared)}
        if not params.context.include_declaration:
            places.discard(declared)
        return [self._location_in(programs, root, span) for span in sorted(places)]

    async def highlights(
        self, params: lsp.DocumentHighlightParams
    ) -> list[lsp.DocumentHighlight] | None:
        found = await self._name_at(params.text_document, params.position)
        if found is None:
            return None
        _, lines, path, names, (_, declared) = found
        spans = [span for span in names.of(declared) if span.file == path]
        return [lsp.DocumentHighlight(lines.range_of(span)) for span in spans]

    def _location_in(self, programs: dict[str, NameTable], root: Root, span: Span) -> lsp.Location:
        text = next((n.texts[span.file] for n in programs.values() if span.file in n.texts), None)
        lines = self.documents.lines_of(span.file, text)
        return lsp.Location(self.documents.uri_of(span.file), lines.range_of(span))

    async def _programs(
        self, document: lsp.TextDocumentIdentifier, position: lsp.Position
    ) -> tuple[Root, Span, dict[str, NameTable]] | None:
        """The declaration of the name at a place, and the programs of the workspace that know
        it, by their roots.
        """
        found = await self._name_at(document, position)
        if found is None:
            return None
        root, _, _, names, (_, declared) = found
        word = names.text(declared)
        known = [one.survey for one in self.session.roots.values() if one.survey is not None]
        programs = await self.session.over_workspace(
            self._programs_with, word, declared, known, self.documents.texts()
        )
        return root, declared, programs

    def _programs_with(
        self, word: str, declared: Span, known: list[Survey], texts: dict[str, str]
    ) -> dict[str, NameTable]:
        programs: dict[str, NameTable] = {}
        for survey in self.index.surveys_with(word, self.documents, texts, known):
            its = self.names(survey)
            if any(place == declared for place in its.uses.values()):
                programs[survey.loaded.root] = its
        return programs

    # ------------------------------------------------------------------------------ renaming

    async def prepare_rename(
        self, params: lsp.PrepareRenameParams
    ) -> lsp.PrepareRenamePlaceholder | None:
        found = await self._name_at(params.text_document, params.position)
        if found is None:
            return None
        _, lines, _, names, (place, declared) = found
        if declared.file.startswith("std/"):
            raise NameRefused("it is declared in pipelang's own library")
        return lsp.PrepareRenamePlaceholder(lines.range_of(place), names.text(place))

    async def rename(self, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        """Edits by file, of the versions that were looked at. Raises `NameRefused`."""
        found = await self._programs(params.text_document, params.position)
        if found is None:
            raise NameRefused("there is no name here that could be another")
        _, declared, programs = found
        texts = self.documents.texts()
        made = await self.session.over_workspace(rename, declared, params.new_name, programs, texts)
        changes: list[Any] = []
        for file, edits in made.edits.items():
            text = next((n.texts[file] for n in programs.values() if file in n.texts), None)
            lines = self.documents.lines_of(file, text)
            document = self.documents.open.get(file)
            identifier = lsp.OptionalVersionedTextDocumentIdentifier(
                self.documents.uri_of(file), None if document is None else document.version
            )
            mine = [lsp.TextEdit(lines.range(start, end), by) for start, end, by in edits]
            changes.append(lsp.TextDocumentEdit(identifier, mine))
        return lsp.WorkspaceEdit(document_changes=changes)

    # ------------------------------------------------------------------------------ outlines

    async def symbols(self, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        read = await self._parsed(params.text_document)
        return [] if read is None else outline.symbols(read[1].module, read[0])

    async def folds(self, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        read = await self._parsed(params.text_document)
        return [] if read is None else outline.folds(read[1].tokens, read[0])

    async def selections(self, params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange]:
        read = await self._parsed(params.text_document)
        if read is None:
            return []
        lines, parsed = read
        return [outline.selections(parsed, lines.offset(at), lines) for at in params.positions]

    async def tokens(self, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        path = self.documents.path_of(params.text_document.uri)
        root = await self.session.fresh(path)
        read = await self._parsed(params.text_document)
        if root is None or read is None:
            return lsp.SemanticTokens([])
        survey, (lines, parsed) = root.survey, read
        names = None
        source = None if survey is None else survey.built.sources.get(path)
        if survey is not None and source is not None and source.text == lines.text:
            names = self.names(survey)
        return lsp.SemanticTokens(semantic_tokens(survey, parsed, names, lines, path))

    async def workspace_symbols(
        self, params: lsp.WorkspaceSymbolParams
    ) -> list[lsp.SymbolInformation]:
        """Declarations, steps and gates of all files whose names have the letters of the query."""
        texts = self.documents.texts()
        return await self.session.over_workspace(self._symbols_like, params.query.casefold(), texts)

    def _symbols_like(self, wanted: str, texts: dict[str, str]) -> list[lsp.SymbolInformation]:
        found = []
        for path in self.documents.pipes():
            read = self.index.parse(path, texts) if path.endswith(SUFFIX) else None
            if read is None:
                continue
            lines = TextLines(read[0], self.documents.encoding)
            uri = self.documents.uri_of(path)
            for name, kind, inside in outline.names_declared(read[1].module):
                if _has_letters(name.text.casefold(), wanted):
                    place = lsp.Location(uri, lines.range_of(name.span))
                    found.append(
                        lsp.SymbolInformation(place, name.text, kind, container_name=inside or path)
                    )
        found.sort(key=lambda one: (not one.name.casefold().startswith(wanted), len(one.name)))
        return found[:MOST_SYMBOLS]


def _has_letters(name: str, wanted: str) -> bool:
    """Whether a name has the letters of a query in their order."""
    rest = iter(name)
    return all(letter in rest for letter in wanted)


def _smallest_edit(lines: TextLines, after: str) -> lsp.TextEdit:
    """The edit that makes a text another one, without the lines that are alike at both ends."""
    before = lines.text
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    start = sum(map(len, old[:head]))
    end = len(before) - sum(map(len, old[len(old) - tail :]))
    return lsp.TextEdit(lines.range(start, end), "".join(new[head : len(new) - tail]))
