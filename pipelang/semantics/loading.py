"""A file and everything it imports, read through a Loader that is handed in.

`semantics` does no IO of its own: the command line hands in a loader of the disk, an editor one of
its open buffers, a test one of a dict.

A mistake is reported once. Where a file has declarations that could not be read, or imports one
that has, their names are kept as lost, so that uses of them are not reported as unknown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import pairwise

from pipelang.diagnostics import Diagnostic, Source, Sources, Span, codes, has_errors, report
from pipelang.diagnostics.spelling import closest
from pipelang.records import dataclass, field
from pipelang.semantics.loader import Loader as Loader
from pipelang.semantics.loader import Unreadable as Unreadable
from pipelang.syntax import ast
from pipelang.syntax.language import LANGUAGE
from pipelang.syntax.parse import Parsed, parse_kept
from pipelang.syntax.tokens import Token, TokenList, starts_declaration

SUFFIX = ".pipe"

DEEPEST = 50
"""Number of files that may import one another in a row."""


@dataclass(frozen=True, slots=True)
class Import:
    """A resolved `use`: which module it names; `module` None if it could not be read."""

    use: ast.Use
    module: str | None


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A parsed file. `lost` are names that it declares or imports in a part that could not be
    read; `hollow` says that there may be others, because something it imports is not there;
    `flawed` that a part of the file itself could not be read.
    """

    path: str
    module: ast.Module
    tokens: TokenList
    imports: tuple[Import, ...]
    lost: frozenset[str] = frozenset()
    hollow: bool = False
    flawed: bool = False
    derivation: list[int] = field(default_factory=list, repr=False, compare=False)

    @property
    def parsed(self) -> Parsed:
        """The tree again, for those who ask for a layout or colours; its findings were told."""
        return Parsed(self.module, self.tokens, (), self.derivation)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Modules by path, imported ones before those that import them; the root comes last."""

    root: str
    modules: dict[str, LoadedModule]
    sources: Sources


def load(
    path: str, loader: Loader, trees: Mapping[str, Parsed] | None = None
) -> tuple[Loaded, tuple[Diagnostic, ...]]:
    """Read and parse a file and all its imports. Every problem is a diagnostic. `trees` are those
    of files that were parsed already, by name.
    """
    given = trees or {}
    sources: Sources = {}
    modules: dict[str, LoadedModule] = {}
    found: list[Diagnostic] = []

    def visit(at: str, span: Span | None, trail: tuple[str, ...]) -> bool:
        if at in trail:
            cycle = " -> ".join([*trail[trail.index(at) :], at])
            found.append(report(codes.IMPORT_CYCLE, span, cycle=cycle))
            return False
        if at in sources:
            return at in modules
        if len(trail) >= DEEPEST:
            found.append(report(codes.TOO_DEEP, span, limit=DEEPEST))
            return False
        source = _read(at, span, loader, sources, found)
        if source is None:
            return False
        parsed = given.get(at) or parse_kept(source)
        found.extend(parsed.diagnostics)
        if parsed.module.language not in (None, LANGUAGE):
            return False
        imports = []
        for declaration in parsed.module.declarations:
            if isinstance(declaration, ast.Use):
                target = _target(declaration, at, loader, found)
                ok = target is not None and visit(target, _place(declaration), (*trail, at))
                imports.append(Import(declaration, target if ok else None))
        lost, hollow = _lost(source, parsed, imports, modules)
        modules[at] = LoadedModule(
            at,
            parsed.module,
            parsed.tokens,
            tuple(imports),
            lost,
            hollow,
            has_errors(parsed.diagnostics),
            parsed.derivation,
        )
        return True

    root = loader.beside("", path)
    visit(root, None, ())
    return Loaded(root, modules, sources), tuple(found)


def _read(
    at: str, span: Span | None, loader: Loader, sources: Sources, found: list[Diagnostic]
) -> Source | None:
    """The source of a file, kept among `sources`; None (reported) if it cannot be had."""
    try:
        text = loader.read(at)
    except Unreadable as problem:
        sources[at] = Source(at, "")
        found.append(report(codes.NOT_TEXT, span or Span(at, 0, 0), file=at, why=problem))
        return None
    if text is None:
        found.append(report(codes.MISSING_FILE, span, path=at))
        return None
    sources[at] = Source(at, text.removeprefix("\ufeff"))
    return sources[at]


def _place(use: ast.Use) -> Span:
    """The words of a `use` that name the file or library."""
    if use.file is not None:
        return use.file.span
    names = use.library or ()
    return names[0].span.to(names[-1].span) if names else use.span


def _target(use: ast.Use, base: str, loader: Loader, found: list[Diagnostic]) -> str | None:
    if use.file is not None:
        file = loader.beside(base, str(use.file.value))
        if not file.endswith(SUFFIX):
            # What is imported is quoted where it is wrong, so no other file may be looked into.
            why = f"only files whose names end in {SUFFIX} are imported"
            help = f'write `use "{use.file.value}{SUFFIX}"` if that is its name'
            found.append(report(codes.NOT_TEXT, use.file.span, file=file, why=why, help=help))
            return None
        return file
    names = tuple(name.text for name in use.library or ())
    target = loader.library(names)
    if target is None:
        dotted, libraries = ".".join(names), loader.libraries()
        close = closest(dotted, libraries, cutoff=0.5)
        help = f"did you mean `{close}`?" if close else "there are: " + ", ".join(libraries)
        place = _place(use)
        found.append(report(codes.UNKNOWN_NAME, place, what="library", name=dotted, help=help))
    return target


_ACTIONS = frozenset("ask agent call run recall each return escalate reject fail redo".split())
"""Words that a broken part may leave behind as names."""


def _lost(
    source: Source, parsed: Parsed, imports: list[Import], modules: dict[str, LoadedModule]
) -> tuple[frozenset[str], bool]:
    """The names that a file should have but has not, and whether that may not be all."""
    lost: set[str] = set()
    hollow = False
    if has_errors(parsed.diagnostics):
        declared = set(_declared(parsed.module))
        uses = sum(isinstance(one, ast.Use) for one in parsed.module.declarations)
        nameless = False
        for word, name in _declaring_words(source, parsed):
            if word == "use":
                uses -= 1
            elif not name.isidentifier():
                nameless = True
            elif name not in declared:
                lost.add(name)
        hollow = uses < 0 or nameless
        lost |= _ACTIONS | _beside_errors(source, parsed)
    for item in imports:
        module = None if item.module is None else modules.get(item.module)
        wanted = None if item.use.names is None else {name.text for name in item.use.names}
        if module is None:
            lost |= wanted or set()
            hollow = hollow or wanted is None
        else:
            lost |= module.lost if wanted is None else module.lost & wanted
    return frozenset(lost), hollow


def _beside_errors(source: Source, parsed: Parsed) -> set[str]:
    """The words on lines that could not be read: any of them may be a name that is declared there,
    behind a keyword that is misspelt, left out or written twice.
    """
    text, tokens = source.text, parsed.tokens.tokens
    words: set[str] = set()
    for found in parsed.diagnostics:
        if found.is_error and found.span is not None and found.span.file == source.name:
            begin = text.rfind("\n", 0, found.span.start) + 1
            end = text.find("\n", found.span.start)
            at = bisect_left(tokens, begin, key=_start)
            past = len(tokens) if end < 0 else bisect_left(tokens, end, key=_start)
            words.update(one.text for one in tokens[at:past] if one.text.isidentifier())
    return words


def _start(token: Token) -> int:
    return token.start


def _declared(module: ast.Module) -> Iterator[str]:
    for declaration in module.declarations:
        if not isinstance(declaration, (ast.Use, ast.ProveDecl, ast.TestDecl, ast.Broken)):
            yield declaration.name.text


def _declaring_words(source: Source, parsed: Parsed) -> Iterator[tuple[str, str]]:
    """The first word of every declaration, also of a broken one, and the word behind it."""
    tokens = parsed.tokens.tokens
    for token, following in pairwise(tokens):
        if starts_declaration(source, token):
            yield token.text, following.text
