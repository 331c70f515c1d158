"""Which name means what in which file.

Every declaration gets a key that is unique in the whole program: its own name where that is free
(the root file chooses first), else `file.name`. Imports bring keys into a file's scope and are not
re-exported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import assert_never

from pipelang.diagnostics import Diagnostic, Label, Span, codes, report
from pipelang.semantics.loading import Loaded
from pipelang.syntax import ast

Named = (
    ast.EnumDecl
    | ast.TypeDecl
    | ast.ProviderDecl
    | ast.TierDecl
    | ast.RoleDecl
    | ast.ToolDecl
    | ast.FnDecl
    | ast.PatternsDecl
    | ast.PromptDecl
    | ast.SettingDecl
    | ast.MemoryDecl
    | ast.PipelineDecl
)

BUILTIN_FUNCTIONS = frozenset({"len", "sum", "min", "max", "round", "first"})
BUILTIN_NAMES = frozenset({"budget"})


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declaration, its key in the program and the file it stands in."""

    kind: str
    key: str
    declaration: Named
    file: str


@dataclass(frozen=True, slots=True)
class Symbols:
    """All declarations by key, and what each file sees under which name."""

    by_key: dict[str, Symbol]
    scopes: dict[str, dict[str, Symbol]]
    used: set[str]

    def find(self, file: str, name: str) -> Symbol | None:
        return self.scopes[file].get(name)


def kind_of(declaration: Named) -> str:
    """What a declaration declares, in the language's own word."""
    match declaration:
        case ast.EnumDecl():
            return "enum"
        case ast.TypeDecl():
            return "type"
        case ast.ProviderDecl():
            return "provider"
        case ast.TierDecl():
            return "tier"
        case ast.RoleDecl():
            return "role"
        case ast.ToolDecl():
            return "tool"
        case ast.FnDecl():
            return "fn"
        case ast.PatternsDecl():
            return "patterns"
        case ast.PromptDecl():
            return "prompt"
        case ast.SettingDecl():
            return "setting"
        case ast.MemoryDecl():
            return "memory"
        case ast.PipelineDecl():
            return "pipeline"
        case _:
            assert_never(declaration)


def suggestion(name: str, candidates: Iterable[str]) -> str | None:
    """A "did you mean" line from the candidates that could really stand there."""
    close = get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


def collect(loaded: Loaded) -> tuple[Symbols, tuple[Diagnostic, ...]]:
    """Give every declaration its key and every file its scope."""
    by_key: dict[str, Symbol] = {}
    own: dict[str, dict[str, Symbol]] = {}
    found: list[Diagnostic] = []
    paths = [loaded.root, *(path for path in loaded.modules if path != loaded.root)]
    for path in paths:
        if path not in loaded.modules:
            continue
        own[path] = {}
        for declaration in loaded.modules[path].module.declarations:
            if isinstance(declaration, (ast.Use, ast.ProveDecl, ast.TestDecl)):
                continue
            name = declaration.name.text
            if name in own[path]:
                found.append(_twice(declaration.name, own[path][name]))
                continue
            if name in BUILTIN_FUNCTIONS | BUILTIN_NAMES:
                found.append(report(codes.SHADOWING, declaration.name.span, name=name))
                continue
            key = name if name not in by_key else f"{PurePosixPath(path).stem}.{name}"
            symbol = Symbol(kind_of(declaration), key, declaration, path)
            own[path][name] = by_key[key] = symbol
            found.extend(_style(symbol))
    scopes = {path: dict(names) for path, names in own.items()}
    for path in paths:
        if path in loaded.modules:
            _import(loaded, path, own, scopes[path], found)
    return Symbols(by_key, scopes, set()), tuple(found)


def _import(
    loaded: Loaded,
    path: str,
    own: dict[str, dict[str, Symbol]],
    scope: dict[str, Symbol],
    found: list[Diagnostic],
) -> None:
    for item in loaded.modules[path].imports:
        if item.module is None or item.module not in own:
            continue
        offered = own[item.module]
        names = item.use.names
        wanted = (
            [(name, item.use.span) for name in offered]
            if names is None
            else [(name.text, name.span) for name in names]
        )
        for name, span in wanted:
            if name not in offered:
                help = suggestion(name, offered)
                found.append(report(codes.UNKNOWN_NAME, span, what="name", name=name, help=help))
            elif name in scope and scope[name] is not offered[name]:
                found.append(_twice(ast.Name(name, span), scope[name]))
            else:
                scope[name] = offered[name]


def _twice(name: ast.Name, first: Symbol) -> Diagnostic:
    label = Label(first.declaration.name.span, f"`{name.text}` is declared here first")
    return report(codes.DUPLICATE, name.span, name=name.text, labels=(label,))


def _style(symbol: Symbol) -> list[Diagnostic]:
    name = symbol.declaration.name
    pascal = symbol.kind in ("enum", "type")
    good = (name.text[0].isupper() and "_" not in name.text) if pascal else name.text.islower()
    if good or not name.text.strip("_"):
        return []
    return [style(name, symbol.kind, pascal)]


def style(name: ast.Name, what: str, pascal: bool) -> Diagnostic:
    words = {"enum": "enums", "type": "types"}.get(what, f"a {what}")
    wanted = "PascalCase" if pascal else "snake_case"
    span: Span = name.span
    return report(codes.NAME_STYLE, span, what=words, style=wanted, name=name.text)
