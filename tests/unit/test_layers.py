"""The walls of the house: who may import whom, and how big and how named a module may be.

The table is the one of ARCHITECTURE.md. A lazy import inside a function or under TYPE_CHECKING
breaks a wall as much as one at the top.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from fnmatch import fnmatch
from pathlib import Path

import pytest

from .imports import PACKAGE, REPO, at, circles, graph, imports, name_of, place, sources

# What each layer may import. `analysis` and `runtime` are siblings on purpose: that they agree is
# worth testing only as long as neither knows the other.
BELOW: dict[str, set[str]] = {
    "statistics": set(),
    "diagnostics": set(),
    "syntax": {"diagnostics"},
    "semantics": {"diagnostics", "syntax"},
    "analysis": {"statistics", "diagnostics", "syntax", "semantics"},
    "runtime": {"statistics", "diagnostics", "syntax", "semantics"},
    "interfaces": {"statistics", "diagnostics", "syntax", "semantics", "analysis", "runtime"},
    "testing": {"runtime"},
}
# Modules beside the layers that stand on nothing, and that everybody may use.
GROUND = {"collecting", "digests", "records", "resources", "version"}
# The public face and `python -m pipelang` stand on everything, and nobody stands on them.
ROOF = {"__init__", "__main__", "providers"}

# Only these folders know these libraries, wherever the import stands.
HOME = {"lark": "syntax"}

# Each takes longer to import than the compiler's front half takes to run.
HEAVY = {
    "anthropic",
    "click",
    "dbos",
    "google",
    "jinja2",
    "mcp",
    "networkx",
    "numpy",
    "openai",
    "pydantic",
    "rich",
}
FRONT = {"diagnostics", "syntax", "semantics"}
# What the everyday commands must never load: what only models, stores and large graphs need.
NEVER_LOADED = {
    "anthropic",
    "dbos",
    "google",
    "mcp",
    "networkx",
    "openai",
    "opentelemetry",
    "pydantic_ai",
}

# Libraries whose import and distribution differ in name.
DISTRIBUTION = {
    "google": "google-genai",
    "PIL": "pillow",
    "genai_prices": "genai-prices",
    "pydantic_ai": "pydantic-ai-slim",
    "opentelemetry": "opentelemetry-sdk",
    "re2": "google-re2",
    "resvg_py": "resvg-py",
}

NAMES_THAT_SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "manager", "misc"}
MOST_LINES = 500


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


NEWER = {"_sha2"}
"""Modules that the standard library has since a later Python than the oldest that we run on."""


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
        if (root := module.partition(".")[0]) not in sys.stdlib_module_names | NEWER | {"pipelang"}
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


# ---------------------------------------------------------------------------------- inside a layer

# Circles that the grammar itself has: an expression holds expressions, a chain holds chains.
EXPRESSIONS = "semantics.elaborate.expressions."
ACTIONS = "semantics.elaborate.actions."
ITEMS = "semantics.elaborate.items."
RECURSIVE = [
    {f"syntax.ast.{name}" for name in "actions action_options expressions options".split()},
    {
        EXPRESSIONS + name
        for name in (
            "expressions names calls operators collections comprehensions constants settings "
            "signatures types"
        ).split()
    },
    {ACTIONS + name for name in ("actions", "links", "subpipelines")},
    {ITEMS + name for name in ("items", "gates", "branches")},
    {f"analysis.flow.{name}" for name in ("acting", "actions", "tracking")},
    {f"analysis.claims.{name}" for name in ("walk", "links", "branches", "rounds")},
    {f"interfaces.export.prism.{name}" for name in ("blocks", "chains", "runs")},
]
MOST_MODULES = 25
# Layers whose folders are rooms in an order: none is reached from one that it reaches.
ORDERED = ("analysis", "runtime", "interfaces")


def test_modules_import_in_no_circle() -> None:
    wrong = [
        ", ".join(sorted(circle))
        for circle in circles(graph())
        if not any(circle <= allowed for allowed in RECURSIVE)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("layer", ORDERED)
def test_rooms_import_in_no_circle(layer: str) -> None:
    names = {name: name.split(".") for name in graph() if name.startswith(f"{layer}.")}
    rooms = type(graph())()
    ties = defaultdict(list)
    for one, other in graph().edges:
        if one in names and other in names:
            here, there = names[one][1], names[other][1]
            if here != there:
                rooms.add_edge(here, there)
                ties[here, there].append(f"{one} -> {other}")
    wrong = [
        "\n  ".join(
            [", ".join(sorted(circle))]
            + [tie for pair, found in ties.items() if {*pair} <= circle for tie in found]
        )
        for circle in circles(rooms)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_folder_is_read_in_one_sitting() -> None:
    sizes = Counter(path.parent for path in sources() if path.stem != "__init__")
    wrong = [f"{name_of(folder)}: {n} modules" for folder, n in sizes.items() if n > MOST_MODULES]
    assert not wrong, "\n".join(wrong)


def test_a_class_name_means_one_class() -> None:
    """But for a construct's syntax node and what is made of it, which share its name."""
    homes = defaultdict(list)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name_of(path))
    wrong = [
        f"{name}: {', '.join(places)}"
        for name, places in homes.items()
        if len(places) > 1
        and not (
            len(places) == 2
            and sorted(place.startswith("syntax.ast.") for place in places) == [False, True]
            and any(place.startswith("semantics.") for place in places)
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_says_what_it_is_for() -> None:
    """In a sentence of its `__init__`. Starters are templates for users, so not ours to explain."""
    wrong = []
    for folder in sorted({path.parent for path in sources()} - {PACKAGE}):
        if "starters" in folder.parts:
            continue
        file = folder / "__init__.py"
        said = file.exists() and ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        first = (said or "").split("\n\n")[0]
        if len(first.split()) < 4 or not first.endswith("."):
            wrong.append(name_of(file) if file.exists() else f"{folder.name}: no __init__")
    assert not wrong, "\n".join(wrong)


def test_no_docstring_begins_with_a_question() -> None:
    """A verb or a noun says what a thing is; `Whether` stays, it is the word for a predicate."""
    question = re.compile(r'"""(What|How|Which|Where|Why|When|Who|Whom) ')
    wrong = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if question.search(line)
    ]
    assert not wrong, "\n".join(wrong)
