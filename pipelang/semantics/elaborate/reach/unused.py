"""Unused declarations, imported names and values."""

from __future__ import annotations

from pipelang.diagnostics import Edit, codes, has_errors
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.reach.effects import doings
from pipelang.semantics.loading import Loaded
from pipelang.syntax import ast


def unused(context: Context, loaded: Loaded) -> None:
    """Warn about what the root file declares, imports by name or works out for nobody.

    A file without a pipeline is a library: what it declares is meant for others.
    """
    if has_errors(context.diagnostics):
        return  # it may be what is meant by a name that is not understood
    root = loaded.modules[loaded.root].module
    for declaration in root.declarations:
        match declaration:
            case ast.PipelineDecl():
                _values(context, declaration)
            case ast.FnDecl() if not isinstance(declaration.body, ast.PythonBinding):
                _parameters(context, declaration.params)
            case ast.Use():
                _imports(context, loaded.root, declaration)
            case _:
                pass
    if not any(isinstance(item, ast.PipelineDecl) for item in root.declarations):
        return
    for symbol in context.symbols.by_key.values():
        if symbol.file != loaded.root or symbol.kind == "pipeline":
            continue
        if (loaded.root, symbol.key) not in context.symbols.used:
            name = symbol.declaration.name
            context.tell(codes.UNUSED, name.span, what=symbol.kind, name=name.text)


def _imports(context: Context, file: str, use: ast.Use) -> None:
    names = use.names or ()
    unused = []
    for name in names:
        symbol = context.symbols.find(file, name.text)
        used = context.symbols.used
        if symbol is not None and symbol.file != file and (file, symbol.key) not in used:
            unused.append(name)
    certain = not has_errors(context.diagnostics)  # what is broken may have been what reads them
    for number, name in enumerate(unused):
        edits: tuple[Edit, ...] = ()
        if certain and len(unused) < len(names):
            edits = (Edit(name.span, ""),)
        elif certain and number == 0:
            edits = (Edit(use.span, ""),)
        context.tell(codes.UNUSED, name.span, what="import", name=name.text, edits=edits)


def _values(context: Context, declaration: ast.PipelineDecl) -> None:
    """Parameters and lets that nothing reads. A step is no matter: it runs for what it does."""
    _parameters(context, declaration.params)
    for part in doings(declaration.items):
        if isinstance(part, ast.Let) and part.name.span not in context.read:
            context.tell(codes.UNUSED, part.name.span, what="let", name=part.name.text)


def _parameters(context: Context, params: tuple[ast.Param, ...]) -> None:
    for param in params:
        if param.name.span not in context.read:
            context.tell(codes.UNUSED, param.name.span, what="parameter", name=param.name.text)
