"""Places outside of a file that its texts name: other files, libraries, functions of Python.

Python is read and never imported: a workspace may be anybody's.
"""

from __future__ import annotations

import ast as python
import os
from collections.abc import Iterator

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.features.nodes import walk
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.records import dataclass
from pipelang.semantics.build import Survey
from pipelang.syntax import ast

MOST_PYTHON = 2_000_000
"""Letters of a module that is looked into."""


@dataclass(frozen=True, slots=True)
class OuterPlace:
    """A text of a file (`span`), the file that it names, and a place in it."""

    span: Span
    path: str
    start: int = 0
    end: int = 0


def outer_place(survey: Survey, documents: Documents, file: str, offset: int) -> OuterPlace | None:
    """The outer place that the text at a place names."""
    loaded = survey.loaded.modules.get(file)
    if loaded is None:
        return None
    for item in loaded.imports:
        use = item.use
        parts = [use.file.span] if use.file else [name.span for name in use.library or ()]
        if item.module is not None and parts and parts[0].start <= offset <= parts[-1].end:
            return OuterPlace(parts[0].to(parts[-1]), item.module)
    named = named_file(survey, file, offset)
    if named is not None:
        return OuterPlace(*named)
    for binding in python_bindings(loaded.module):
        span = binding.target.span
        if span.start <= offset <= span.end:
            return python_place(documents, file, span, str(binding.target.value))
    return None


def named_file(survey: Survey, file: str, offset: int) -> tuple[Span, str] | None:
    """The template or evidence that is named at a place of a file: where, and its path."""
    loaded = survey.loaded.modules.get(file)
    loader = OpenFiles({})
    for declaration in () if loaded is None else loaded.module.declarations:
        if not declaration.span.start <= offset <= declaration.span.end:
            continue
        for node in walk(declaration):
            literal: ast.Literal | None = None
            match node:
                case ast.Template(file=ast.Literal() as literal):
                    pass
                case ast.FromFile(path=literal) | ast.Evidence(path=literal):
                    pass
                case _:
                    literal = None
            if literal is not None and literal.span.start <= offset <= literal.span.end:
                return literal.span, loader.beside(file, str(literal.value))
    return None


def python_bindings(module: ast.Module) -> Iterator[ast.PythonBinding]:
    """The bindings of tools and functions to Python."""
    for declaration in module.declarations:
        match declaration:
            case ast.ToolDecl(options=options):
                yield from (one for one in options if isinstance(one, ast.PythonBinding))
            case ast.FnDecl(body=ast.PythonBinding() as body):
                yield body
            case _:
                pass


def python_place(documents: Documents, file: str, span: Span, target: str) -> OuterPlace | None:
    """The place of a function that is named like `tools:lookup`: in the folder of the file, as runs
    look for it there first.
    """
    module, _, name = target.partition(":")
    folder = os.path.dirname(file)
    relative = os.path.join(*module.split(".")) if module.strip(".") else module
    loader = OpenFiles(documents.texts())
    for candidate in (f"{relative}.py", os.path.join(relative, "__init__.py")):
        path = os.path.normpath(os.path.join(folder, candidate))
        text = loader.quiet(path)
        if text is not None:
            start, end = _definition(text, name)
            return OuterPlace(span, path, start, end)
    return None


def _definition(text: str, name: str) -> tuple[int, int]:
    """The place of a definition in a module, by its dotted name; its beginning if there is none."""
    if len(text) > MOST_PYTHON:
        return 0, 0
    try:
        body = python.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0, 0
    place = (0, 0)
    for part in name.split("."):
        found = next((node for node in body if _binds(node, part)), None)
        if found is None:
            return place
        # Python's lines are the protocol's: `splitlines` also ends them at a form feed.
        line = TextLines(text).bounds(found.lineno - 1)[0]
        head = text[line : line + found.col_offset].encode("utf-8", "replace")
        before = line + len(head[: found.col_offset].decode(errors="replace"))
        at = text.find(part, before)
        place = (at, at + len(part)) if at >= 0 else (before, before)
        body = found.body if isinstance(found, python.ClassDef) else []
    return place


def _binds(node: python.stmt, name: str) -> bool:
    match node:
        case python.FunctionDef() | python.AsyncFunctionDef() | python.ClassDef():
            return node.name == name
        case python.Assign():
            return any(isinstance(one, python.Name) and one.id == name for one in node.targets)
        case python.AnnAssign():
            return isinstance(node.target, python.Name) and node.target.id == name
        case _:
            return False
