"""Replaces tiers of a program by others, as `--tier haiku=local_small` says.

The tier keeps its name and gets the declaration of another: its provider, model, prices, times and
failures. All that is worked out from a tier is then worked out from that declaration, and where a
tier is named (in chains, routes, tests and recordings) nothing changes. The other one is declared
in the file or its imports, or in a library, which is then read as if it were imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.records import replace
from pipelang.semantics.loading import Loaded, Loader, Unreadable, load
from pipelang.semantics.symbols import Symbol, Symbols, suggestion
from pipelang.syntax import ast
from pipelang.syntax.parse import parse


def with_libraries(loaded: Loaded, loader: Loader, tiers: Mapping[str, str]) -> Loaded:
    """The files of a program, with the libraries that declare the tiers which stand in for its own
    and that it doesn't declare itself.
    """
    declared = {name for path in loaded.modules for name in _tiers_of(loaded, path)}
    modules, sources = dict(loaded.modules), dict(loaded.sources)
    for name in dict.fromkeys(tiers.values()):
        path = None if name in declared else _library_of(name, loader)
        if path is None or path in modules:
            continue
        more, _ = load(path, loader)
        modules = {**more.modules, **modules}
        sources = {**more.sources, **sources}
    return Loaded(loaded.root, modules, sources)


def replaced(
    loaded: Loaded, symbols: Symbols, loader: Loader, tiers: Mapping[str, str]
) -> tuple[Symbols, tuple[Diagnostic, ...]]:
    """The symbols with tiers replaced; findings about names that are none."""
    known = {key: one for key, one in symbols.by_key.items() if one.kind == "tier"}
    by_key = dict(symbols.by_key)
    found: list[Diagnostic] = []
    own = _seen_by_root(loaded, symbols)
    for name, other in tiers.items():
        old = known.get(name)
        new = known.get(other) or _by_name(known, other)
        if old is None:
            found.append(_unknown(loaded.root, name, own, ()))
        if new is None:
            found.append(_unknown(loaded.root, other, own, _offered(loader)))
        if old is None or new is None:
            continue
        by_key[name] = replace(new, key=name)
        # Both are named by this replacement, and so is the provider of the one that has gone.
        symbols.use(loaded.root, old)
        symbols.use(loaded.root, new)
        for provider in _provider_of(old, symbols):
            symbols.use(old.file, provider)
    return replace(symbols, by_key=by_key), tuple(found)


def _by_name(known: Mapping[str, Symbol], name: str) -> Symbol | None:
    """A tier by the name in its own file, where its key in the program is a longer one."""
    return next((one for one in known.values() if one.declaration.name.text == name), None)


def _seen_by_root(loaded: Loaded, symbols: Symbols) -> list[str]:
    """The tiers that a program declares or imports; those of libraries which only stand in are
    behind them.
    """
    return symbols.names(loaded.root, "tier") or [
        key for key, one in symbols.by_key.items() if one.kind == "tier"
    ]


def _provider_of(tier: Symbol, symbols: Symbols) -> Iterator[Symbol]:
    if isinstance(tier.declaration, ast.TierDecl):
        for option in tier.declaration.options:
            if isinstance(option, ast.Provider):
                symbol = symbols.find(tier.file, option.name.text)
                if symbol is not None:
                    yield symbol


def _tiers_of(loaded: Loaded, path: str) -> Iterator[str]:
    for declaration in loaded.modules[path].module.declarations:
        if isinstance(declaration, ast.TierDecl):
            yield declaration.name.text


def _unknown(
    root: str, name: str, own: list[str], libraries: tuple[tuple[str, str], ...]
) -> Diagnostic:
    """The finding about a name that is no tier, with those there are."""
    offered = [*own, *(tier for _, tier in libraries)]
    help = suggestion(name, offered)
    if help is None:
        there = [", ".join(own)] if own else []
        by_library: dict[str, list[str]] = {}
        for library, tier in libraries:
            if tier not in own:
                by_library.setdefault(library, []).append(tier)
        there += [f"{', '.join(names)} in {library}" for library, names in by_library.items()]
        help = f"there are: {'; '.join(there)}" if there else "the program has no tiers"
    place = Span(root, 0, 0)
    return report(codes.UNKNOWN_NAME, place, what="tier", name=name, help=help)


def _offered(loader: Loader) -> tuple[tuple[str, str], ...]:
    """The tiers of all libraries, each with the library's name. Only asked on mistakes."""
    return tuple(
        (library, name)
        for library in loader.libraries()
        for name in _declared_in(loader.library(tuple(library.split("."))), loader)
    )


def _library_of(name: str, loader: Loader) -> str | None:
    """The path of the library that declares a tier; None if none does."""
    for library in loader.libraries():
        path = loader.library(tuple(library.split(".")))
        if name in _declared_in(path, loader):
            return path
    return None


def _declared_in(path: str | None, loader: Loader) -> list[str]:
    """The tiers that a library's file declares."""
    try:
        text = None if path is None else loader.read(path)
    except Unreadable:
        return []
    if path is None or text is None or "tier" not in text:
        return []
    declarations = parse(Source(path, text)).module.declarations
    return [one.name.text for one in declarations if isinstance(one, ast.TierDecl)]
