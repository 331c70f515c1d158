"""Help for unknown names: the library that offers one, and the `use` line for it."""

from __future__ import annotations

from pipelang.diagnostics import Source
from pipelang.semantics.loader import Loader, Unreadable
from pipelang.semantics.symbols import kind_of
from pipelang.syntax import ast
from pipelang.syntax.parse import parse_kept


def offered_by(loader: Loader, name: str, kinds: tuple[str, ...]) -> str | None:
    """A line that says how to import a name; None if no library has it. Only asked on errors."""
    for library in loader.libraries():
        path = loader.library(tuple(library.split(".")))
        try:
            text = None if path is None else loader.read(path)
        except Unreadable:
            continue
        if path is None or text is None or name not in text:
            continue
        for declaration in parse_kept(Source(path, text)).module.declarations:
            if isinstance(declaration, (ast.Use, ast.ProveDecl, ast.TestDecl, ast.Broken)):
                continue
            if declaration.name.text == name and kind_of(declaration) in kinds:
                return f"it is in {library}: `use {library} {{ {name} }}`"
    return None
