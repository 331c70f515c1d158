"""Symbols: the declaration that a name means in each file.

Every declaration gets a key that is unique in the whole program: its own name where that is free
(the root file chooses first), else `file.name`. Imports bring keys into a file's scope and are not
re-exported.
"""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import basename, dirname, isabs, relpath, splitext
from typing import assert_never

from pipelang.diagnostics import Diagnostic, Help, Label, SafeFix, codes, report
from pipelang.diagnostics.spelling import closest, only_slip
from pipelang.records import dataclass
from pipelang.semantics.loading import Loaded
from pipelang.semantics.types import SCALAR_NAMES
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

BUILTIN_FUNCTIONS = frozenset({"len", "sum", "min", "max", "any", "all", "round", "first"})
BUILTIN_NAMES = frozenset({"budget"})
READ_AS_VALUES = frozenset({"setting", "tier", "role"})
"""Kinds whose names stand in expressions, where the name of a value would hide them."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declaration, its key in the program and the file it stands in."""

    kind: str
    key: str
    declaration: Named
    file: str


@dataclass(frozen=True, slots=True)
class Symbols:
    """All declarations by key, and the names that each file sees.

    `used` are the keys that are named somewhere, each with the file that names it.
    `lost` are the names that a file should see but does not, because of an error that was reported;
    `hollow` are the files that may lack any name for that reason.
    """

    by_key: dict[str, Symbol]
    scopes: dict[str, dict[str, Symbol]]
    used: set[tuple[str, str]]
    lost: dict[str, frozenset[str]]
    hollow: frozenset[str]

    def find(self, file: str, name: str) -> Symbol | None:
        return self.scopes[file].get(name)

    def use(self, file: str, symbol: Symbol) -> None:
        """Remember that a file names a declaration."""
        self.used.add((file, symbol.key))

    def is_lost(self, file: str, name: str) -> bool:
        """Whether a name is unknown because of an error that was already reported: one without
        letters was left out.
        """
        return not name or file in self.hollow or name in self.lost.get(file, ())

    def names(self, file: str, *kinds: str) -> list[str]:
        """The names that a file sees for declarations of these kinds."""
        return [name for name, symbol in self.scopes[file].items() if symbol.kind in kinds]


def kind_of(declaration: Named) -> str:
    """The keyword of a declaration."""
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


WORDS = {"enum": "an enum", "patterns": "a list of patterns"}


def with_article(kind: str) -> str:
    """A kind of declaration as it stands in a sentence."""
    return WORDS.get(kind, f"a {kind}")


def suggestion(name: str, candidates: Iterable[str]) -> Help | None:
    """A "did you mean" line from the candidates that could really stand there."""
    offered = list(dict.fromkeys(candidates))
    close = closest(name, offered)
    if close is None:
        return None
    return SafeFix(f"did you mean `{close}`?", name, only_slip(name, offered))


MOST_LISTED = 12
"""Names in a help line: of a hundred nobody reads the one that was meant."""


def listed(names: Iterable[str]) -> str:
    """Names side by side: the first ones where they are many, and how many more there are."""
    every = list(names)
    if len(every) <= MOST_LISTED + 1:
        return ", ".join(every)
    return f"{', '.join(every[:MOST_LISTED])} and {len(every) - MOST_LISTED} more"


def use_line(file: str, symbol: Symbol) -> str:
    """A line that says in which file a name stands, and how another file imports it."""
    start = dirname(file)
    there = symbol.file if isabs(symbol.file) != isabs(file) else relpath(symbol.file, start or ".")
    name = symbol.declaration.name.text
    return f'it is declared in {symbol.file}: `use "{there}" {{ {name} }}`'


def collect(loaded: Loaded) -> tuple[Symbols, tuple[Diagnostic, ...]]:
    """Give every declaration its key and every file its scope."""
    by_key: dict[str, Symbol] = {}
    own: dict[str, dict[str, Symbol]] = {}
    found: list[Diagnostic] = []
    paths = [loaded.root, *(path for path in loaded.modules if path != loaded.root)]
    for path in paths:
        own[path] = {}
        for declaration in loaded.modules[path].module.declarations:
            if isinstance(declaration, (ast.Use, ast.ProveDecl, ast.TestDecl, ast.Broken)):
                continue
            name, kind = declaration.name.text, kind_of(declaration)
            if name in own[path]:
                found.append(_twice(declaration.name, own[path][name]))
                continue
            if _is_taken(name, kind):
                help = f"`{name}` is pipelang's own; choose another name"
                span = declaration.name.span
                found.append(report(codes.SHADOWING, span, name=name, help=help))
                continue
            symbol = Symbol(kind, _key(path, name, by_key), declaration, path)
            own[path][name] = by_key[symbol.key] = symbol
            found.extend(_style(symbol))
    scopes = {path: dict(names) for path, names in own.items()}
    for path in paths:
        _import(loaded, path, own, scopes[path], found)
    lost = {path: loaded.modules[path].lost for path in paths}
    hollow = frozenset(path for path in paths if loaded.modules[path].hollow)
    return Symbols(by_key, scopes, set(), lost, hollow), tuple(found)


def _is_taken(name: str, kind: str) -> bool:
    """Whether pipelang itself has a thing of this name that the declaration would hide."""
    if kind in ("enum", "type"):
        return name in SCALAR_NAMES
    return name in BUILTIN_NAMES or (kind == "fn" and name in BUILTIN_FUNCTIONS)


def _key(path: str, name: str, by_key: dict[str, Symbol]) -> str:
    key, number = name, 1
    while key in by_key:
        stem = splitext(basename(path))[0]
        key = f"{stem}.{name}" if number == 1 else f"{stem}_{number}.{name}"
        number += 1
    return key


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
        if names is None:
            names = tuple(ast.Name(name, item.use.span) for name in offered)
        for name in names:
            symbol = offered.get(name.text)
            if symbol is None:
                if name.text not in loaded.modules[item.module].lost:
                    far = next((one[name.text] for one in own.values() if name.text in one), None)
                    close = suggestion(name.text, offered) or _offers(item.module, offered)
                    help = close if far is None or far.file == path else use_line(path, far)
                    found.append(
                        report(
                            codes.UNKNOWN_NAME,
                            name.span,
                            help=help,
                            what=f"name in {item.module}",
                            name=name.text,
                        )
                    )
            elif name.text in scope:
                found.append(_imported_twice(name, scope[name.text], symbol))
            else:
                scope[name.text] = symbol


def _offers(module: str, offered: Iterable[str]) -> str:
    names = listed(offered)
    return f"{module} declares: {names}" if names else f"{module} declares nothing"


def _imported_twice(name: ast.Name, first: Symbol, second: Symbol) -> Diagnostic:
    if first is second:
        help = "import it once"
    else:
        help = "import only what is needed, by name: `use ... { a b }`"
    return _twice(name, first, help)


def _twice(name: ast.Name, first: Symbol, help: str | None = None) -> Diagnostic:
    label = Label(first.declaration.name.span, f"`{name.text}` is declared here first")
    return report(codes.DUPLICATE, name.span, name=name.text, labels=(label,), help=help)


def _style(symbol: Symbol) -> list[Diagnostic]:
    name = symbol.declaration.name
    if symbol.kind in ("enum", "type"):
        good = name.text[0].isupper() and "_" not in name.text
    else:
        good = name.text.islower()
    if good or not name.text.strip("_"):
        return []
    return [style(name, symbol.kind)]


def style(name: ast.Name, what: str) -> Diagnostic:
    """The warning about a name in the wrong case."""
    words = WORDS.get(what, f"a {what}")
    wanted = "PascalCase" if what in ("enum", "type") else "snake_case"
    return report(codes.NAME_STYLE, name.span, what=words, style=wanted, name=name.text)
