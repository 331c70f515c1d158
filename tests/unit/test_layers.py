"""The walls of the house: who may import whom, and how big and how named a module may be.

The table is the one of ARCHITECTURE.md. Imports are read from the syntax tree of every file, so a
lazy import inside a function or under TYPE_CHECKING breaks a wall as much as one at the top.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

REPO = Path(__file__).resolve().parents[2]
PACKAGE = REPO / "pipelang"

# What each layer may import. `analysis` and `runtime` are siblings on purpose: that they agree is
# worth testing only as long as neither knows the other.
BELOW: dict[str, set[str]] = {
    "diagnostics": set(),
    "syntax": {"diagnostics"},
    "semantics": {"diagnostics", "syntax"},
    "analysis": {"diagnostics", "syntax", "semantics"},
    "runtime": {"diagnostics", "syntax", "semantics"},
    "interfaces": {"diagnostics", "syntax", "semantics", "analysis", "runtime"},
}
# Modules beside the layers that stand on nothing, and that everybody may use.
GROUND = {"records", "resources", "version"}
# The public face and `python -m pipelang` stand on everything, and nobody stands on them.
ROOF = {"__init__", "__main__"}

# Only these folders know these libraries, wherever the import stands.
HOME = {"lark": "syntax"}

# Each takes longer to import than the compiler's front half takes to run.
HEAVY = {
    "anthropic",
    "click",
    "dbos",
    "jinja2",
    "mcp",
    "networkx",
    "numpy",
    "pydantic",
    "rich",
}
FRONT = {"diagnostics", "syntax", "semantics"}
# What the everyday commands must never load: what only models, stores and large graphs need.
NEVER_LOADED = {"anthropic", "dbos", "mcp", "networkx", "opentelemetry"}

# Libraries whose import and distribution differ in name.
DISTRIBUTION = {
    "opentelemetry": "opentelemetry-sdk",
    "pyrate_limiter": "pyrate-limiter",
    "re2": "google-re2",
    "resvg_py": "resvg-py",
}

NAMES_THAT_SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "manager", "misc"}
MOST_LINES = 500


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


def test_every_module_has_a_place_in_the_table() -> None:
    strangers = {place(path) for path in sources()} - BELOW.keys() - GROUND - ROOF
    assert not strangers, "a layer or top-level module that the table does not know"


def test_layers_import_only_what_is_below_them() -> None:
    wrong = []
    for path in sources():
        here = place(path)
        if here in ROOF:
            continue
        allowed = GROUND | BELOW.get(here, set()) | {here}
        for module, line, _ in imports(path):
            top, _, rest = module.partition(".")
            if top != "pipelang":
                continue
            there = rest.partition(".")[0] or "__init__"
            if there not in allowed:
                wrong.append(f"{at(path, line)}: `{here}` imports `{module}`")
    assert not wrong, "\n".join(wrong)


def test_libraries_stay_in_the_folder_that_knows_them() -> None:
    wrong = [
        f"{at(path, line)}: only pipelang/{HOME[root]} imports `{root}`"
        for path in sources()
        for module, line, _ in imports(path)
        if (root := module.partition(".")[0]) in HOME and place(path) != HOME[root]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_front_half_imports_nothing_heavy_when_it_is_imported() -> None:
    wrong = [
        f"{at(path, line)}: `{module}` belongs into the function that needs it"
        for path in sources()
        if place(path) in FRONT | GROUND | ROOF
        for module, line, lazy in imports(path)
        if not lazy and module.partition(".")[0] in HEAVY
    ]
    assert not wrong, "\n".join(wrong)


def test_every_library_is_declared() -> None:
    """As a dependency or in an extra for users: `dev` is not there where pipelang is installed."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"]]
    for extra, needs in project["optional-dependencies"].items():
        if extra != "dev":
            requirements += needs
    declared = {re.split(r"[^\w.-]", need)[0].lower() for need in requirements}
    wrong = [
        f"{at(path, line)}: `{root}` is no dependency of pipelang-dsl"
        for path in sources()
        for module, line, _ in imports(path)
        if (root := module.partition(".")[0]) not in sys.stdlib_module_names | {"pipelang"}
        and DISTRIBUTION.get(root, root) not in declared
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_is_too_long() -> None:
    generated = [
        line.split()[0]
        for line in (REPO / ".gitattributes").read_text(encoding="utf-8").splitlines()
        if "linguist-generated" in line and not line.startswith("#")
    ]
    wrong = []
    for path in sources():
        name = path.relative_to(REPO).as_posix()
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES and not any(fnmatch(name, pattern) for pattern in generated):
            wrong.append(f"{name}: {lines} lines; does it do two things?")
    assert not wrong, "\n".join(wrong)


def test_every_module_is_called_what_it_is_for() -> None:
    wrong = [
        path.relative_to(REPO).as_posix()
        for path in sources()
        if NAMES_THAT_SAY_NOTHING & set(path.relative_to(PACKAGE).with_suffix("").parts)
    ]
    assert not wrong, "a name that does not say what lives there"


SMALL = """\
use std.tiers

type Greeting { body: text max 60 tokens }

prompt greet(name: text) \"\"\"Greet {{ name }}.\"\"\"

pipeline welcome(name: text max 20 tokens) -> Greeting {
  step greeting: Greeting = ask greet(name) by haiku {
    accuracy 95%
    timeout  10s
    output   20 tokens mean, 60 tokens max
  } else fail "no greeting"

  return greeting
}
"""


@pytest.mark.parametrize("arguments", [["--help"], ["check", "small.pipe"], ["fmt", "small.pipe"]])
def test_everyday_commands_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "small.pipe").write_text(SMALL, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipelang", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    # A line of `importtime` reads `import time: self | cumulative | module`.
    lines = run.stderr.splitlines()
    times = [line for line in lines if line.startswith("import time:")]
    said = [line for line in lines if line not in times]
    assert run.returncode == 0, "\n".join([run.stdout, *said])
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in times}
    assert "pipelang" in loaded
    assert not loaded & NEVER_LOADED


def test_importing_the_package_is_quick() -> None:
    """A host that only wants the version pays little, and so does `check` with nothing changed."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules)\n"
        "import pipelang, pipelang.resources\n"
        "print(*(set(sys.modules) - before))"
    )
    # -S: what site loads on its own (editable installs, say) would hide what we load.
    run = subprocess.run(
        [sys.executable, "-S", "-c", code, str(REPO)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(run.stdout.split())
    assert {"pipelang", "pipelang.resources"} <= loaded
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY | {"lark"}}
    assert not {name for name in loaded if name.split(".")[1:2] and name.split(".")[1] in BELOW}
    assert not loaded & {"asyncio", "dataclasses", "inspect", "pathlib", "re", "typing"}
