"""A file and everything it imports, read through a Loader that is handed in.

`semantics` does no IO of its own: the command line hands in a loader of the disk, an editor one of
its open buffers, a test one of a dict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pipelang.diagnostics import Diagnostic, Source, Sources, Span, codes, report
from pipelang.syntax import ast
from pipelang.syntax.parse import parse


class Unreadable(Exception):
    """A file that is there but is no UTF-8 text, or cannot be read. The message says why."""


class Loader(Protocol):
    """Where files come from. Paths are texts; `base` is the path of the importing file."""

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""

    def beside(self, base: str, path: str) -> str:
        """The path of a file that is named relative to another file's folder."""

    def library(self, name: tuple[str, ...]) -> str | None:
        """The path of a library such as ("std", "tiers"), None if there is none."""

    def libraries(self) -> tuple[str, ...]:
        """The dotted names of all libraries, for suggestions."""


@dataclass(frozen=True, slots=True)
class Import:
    """A resolved `use`: which module it names; `module` None if it could not be read."""

    use: ast.Use
    module: str | None


@dataclass(frozen=True, slots=True)
class LoadedModule:
    path: str
    module: ast.Module
    imports: tuple[Import, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Modules by path, imported ones before those that import them; the root comes last."""

    root: str
    modules: dict[str, LoadedModule]
    sources: Sources


def load(path: str, loader: Loader) -> tuple[Loaded, tuple[Diagnostic, ...]]:
    """Read and parse a file and all its imports. Every problem is a diagnostic."""
    sources: Sources = {}
    modules: dict[str, LoadedModule] = {}
    found: list[Diagnostic] = []

    def visit(at: str, span: Span | None, trail: tuple[str, ...]) -> bool:
        if at in trail:
            cycle = " -> ".join([*trail[trail.index(at) :], at])
            found.append(report(codes.IMPORT_CYCLE, span, cycle=cycle))
            return False
        if at in modules:
            return True
        try:
            text = loader.read(at)
        except Unreadable as problem:
            sources.setdefault(at, Source(at, ""))
            found.append(report(codes.NOT_TEXT, span or Span(at, 0, 0), file=at, why=problem))
            return False
        if text is None:
            found.append(report(codes.MISSING_FILE, span, path=at))
            return False
        source = Source(at, text)
        sources[at] = source
        parsed = parse(source)
        found.extend(parsed.diagnostics)
        found.extend(_language(parsed.module))
        imports = []
        for declaration in parsed.module.declarations:
            if isinstance(declaration, ast.Use):
                target = _target(declaration, at, loader, found)
                ok = target is not None and visit(target, declaration.span, (*trail, at))
                imports.append(Import(declaration, target if ok else None))
        modules[at] = LoadedModule(at, parsed.module, tuple(imports))
        return True

    visit(path, None, ())
    return Loaded(path, modules, sources), tuple(found)


def _target(use: ast.Use, base: str, loader: Loader, found: list[Diagnostic]) -> str | None:
    if use.file is not None:
        return loader.beside(base, str(use.file.value))
    names = tuple(name.text for name in use.library or ())
    target = loader.library(names)
    if target is None:
        from difflib import get_close_matches

        dotted = ".".join(names)
        close = get_close_matches(dotted, loader.libraries(), n=1, cutoff=0.5)
        help = (
            f"did you mean `{close[0]}`?"
            if close
            else "there are: " + ", ".join(loader.libraries())
        )
        found.append(report(codes.UNKNOWN_NAME, use.span, what="library", name=dotted, help=help))
    return target


def _language(module: ast.Module) -> list[Diagnostic]:
    from pipelang.version import __version__

    if module.language is None or module.language <= 1:
        return []
    span = Span(module.file, 0, 0)
    return [report(codes.NEWER_LANGUAGE, span, found=module.language, version=__version__)]
