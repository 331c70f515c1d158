"""Who imports whom in the package, read from the syntax tree of every file.

An import inside a function or under TYPE_CHECKING counts as much as one at the top.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import networkx as nx

REPO = Path(__file__).resolve().parents[2]
PACKAGE = REPO / "pipelang"


class Import(NamedTuple):
    """One imported module, by its full dotted name."""

    module: str
    line: int
    lazy: bool  # inside a function or under TYPE_CHECKING: not run when the module is imported


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """The layer of a file, or the name of a module that stands beside the layers."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(REPO).as_posix()}:{line}"


@functools.cache
def imports(path: Path) -> tuple[Import, ...]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    package = ("pipelang", *path.relative_to(PACKAGE).parent.parts)
    return tuple(_imports(tree, package, lazy=False))


def _imports(node: ast.AST, package: tuple[str, ...], lazy: bool) -> Iterator[Import]:
    match node:
        case ast.Import():
            for alias in node.names:
                yield Import(alias.name, node.lineno, lazy)
        case ast.ImportFrom():
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            # `from pipelang import syntax` names a layer, and `from pipelang import load` the face.
            for alias in node.names:
                file = REPO.joinpath(*module.split("."), alias.name)
                inside = file.is_dir() or file.with_suffix(".py").exists()
                name = f"{module}.{alias.name}" if inside else module
                yield Import(name, node.lineno, lazy)
        case ast.Call(
            func=ast.Name("import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(str(module)), *_],
        ):
            yield Import(module, node.lineno, lazy)
        case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            for child in node.body:
                yield from _imports(child, package, lazy=True)
            for child in node.orelse:
                yield from _imports(child, package, lazy)
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            lazy = True
        case _:
            pass
    for part in ast.iter_child_nodes(node):
        yield from _imports(part, package, lazy)


def name_of(path: Path) -> str:
    """The dotted name of a module or package, without `pipelang.` in front."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def graph() -> nx.DiGraph:
    """The modules by `name_of`, with an edge from who imports to who is imported."""
    import networkx as nx  # here, as most who import this file ask for no graph

    modules = {name_of(path): path for path in sources() if place(path) not in ("__init__",)}
    found = nx.DiGraph()
    found.add_nodes_from(modules)
    for name, path in modules.items():
        for module, _, _ in imports(path):
            there = module.removeprefix("pipelang.")
            if there in modules and there != name:
                found.add_edge(name, there)
    return found


def circles(found: nx.DiGraph) -> list[frozenset[str]]:
    """Sets of modules each of which reaches all others of its set."""
    import networkx as nx

    return [frozenset(c) for c in nx.strongly_connected_components(found) if len(c) > 1]
