"""pipelang works however it got there: from a wheel, an sdist, an editable install, a checkout.

Each way has an environment of its own, outside the repository. The libraries that we depend on
are shared with the environment that runs the tests: a `.pth` file names its site-packages, last,
so that pip has nothing to fetch. `.pth` files in a folder that is named so are not read, so an
editable install of pipelang over there stays invisible; and each test looks at where the package
was imported from.
"""

from __future__ import annotations

import configparser
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from pipelang.version import __version__

REPO = Path(__file__).resolve().parents[2]
BIN = "Scripts" if os.name == "nt" else "bin"

SOUND = """\
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
UNSOUND = SOUND.replace("by haiku", "by nobody")

# Run by each installation about itself.
PROBE = """
import hashlib, json, pipelang
from pipelang.resources import resource

def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__"
    }

print(json.dumps({
    "package": pipelang.__file__,
    "version": pipelang.__version__,
    "data": {kind: digests(resource(kind)) for kind in ("grammar", "stdlib")},
}))
"""


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    # Nothing of this process's may help an installation find its package.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**env, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


# --- building -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository: building and an editable install leave the real one alone."""
    copy = tmp_path_factory.mktemp("tree") / "repo"
    skipped = shutil.ignore_patterns(
        ".git", ".venv*", ".pipelang", "__pycache__", ".*_cache", ".hypothesis", "dist", "build"
    )
    return shutil.copytree(REPO, copy, ignore=skipped, symlinks=True)


class Built(NamedTuple):
    sdist: Path
    wheel_from_sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    both, direct = tmp_path_factory.mktemp("both"), tmp_path_factory.mktemp("direct")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir")
    # Asked for nothing in particular, it builds the sdist and from that the wheel.
    run(*build, both, tree, cwd=both)
    run(*build, direct, "--wheel", tree, cwd=direct)
    (sdist,), (wheel_from_sdist,) = both.glob("*.tar.gz"), both.glob("*.whl")
    (wheel,) = direct.glob("*.whl")
    return Built(sdist, wheel_from_sdist, wheel)


def digests(folder: Path) -> dict[str, str]:
    """What PROBE does, for the tree: each file's content by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__"
    }


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# --- installing -----------------------------------------------------------------------------------


class Place(NamedTuple):
    """One way of having pipelang, and where its package must have come from."""

    python: Path
    cwd: Path
    command: tuple[str | Path, ...]
    package: Path


def environment(folder: Path) -> tuple[Path, Path]:
    """A new, empty environment in `folder`: its interpreter and its site-packages."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / BIN / Path(sys.executable).name
    if not python.exists():
        python = folder / BIN / ("python.exe" if os.name == "nt" else "python")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", code, cwd=folder).stdout.strip())
    # Sorts behind every name that an installer would choose, so that the own package comes first.
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "zz_libraries.pth").write_text("\n".join(sorted(libraries)), encoding="utf-8")
    return python, site


def install(python: Path, *what: str | Path, cwd: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--python", python, "--isolated", "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", "--no-build-isolation", *what, cwd=cwd)


WAYS = ["wheel", "sdist", "editable", "checkout"]
"""The wheel by way of the sdist is the same wheel, byte for byte: see below."""


@pytest.fixture(scope="module", params=WAYS)
def place(
    request: pytest.FixtureRequest,
    tree: Path,
    built: Built,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    folder = tmp_path_factory.mktemp("env")
    python, site = environment(folder)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = folder / BIN / ("pipelang.exe" if os.name == "nt" else "pipelang")
    match request.param:
        case "wheel":
            install(python, built.wheel, cwd=elsewhere)
        case "sdist":
            install(python, built.sdist, cwd=elsewhere)
        case "editable":
            install(python, "--editable", tree, cwd=elsewhere)
            return Place(python, elsewhere, (command,), tree / "pipelang")
        case _:
            return Place(python, tree, (python, "-m", "pipelang"), tree / "pipelang")
    return Place(python, elsewhere, (command,), site / "pipelang")


def test_finds_the_data_folders(place: Place, tree: Path) -> None:
    report = json.loads(run(place.python, "-c", PROBE, cwd=place.cwd).stdout)
    assert Path(report["package"]).parent.resolve() == place.package.resolve()
    assert report["version"] == __version__
    assert report["data"] == {kind: digests(tree / kind) for kind in ("grammar", "stdlib")}
    assert "pipelang.lark" in report["data"]["grammar"]
    assert "tiers.pipe" in report["data"]["stdlib"]


def test_no_copy_of_the_data_is_left_where_it_would_go_stale(place: Place) -> None:
    """Only what is installed for good has its own; the others read the checkout's."""
    found = list(Path(place.python).parents[1].rglob("_data"))
    assert len(found) == (0 if place.package.parent.joinpath("pyproject.toml").exists() else 1)


def test_tells_its_version(place: Place) -> None:
    assert __version__ in run(*place.command, "--version", cwd=place.cwd).stdout


def test_checks_a_file_that_uses_the_library(place: Place, tmp_path: Path) -> None:
    sound, unsound = tmp_path / "sound.pipe", tmp_path / "unsound.pipe"
    sound.write_text(SOUND, encoding="utf-8")
    unsound.write_text(UNSOUND, encoding="utf-8")
    run(*place.command, "check", sound, cwd=place.cwd)
    # It really looked: a tier that the library does not have is an error.
    wrong = run(*place.command, "check", unsound, cwd=place.cwd, check=False)
    assert wrong.returncode == 1, wrong.stdout + wrong.stderr
    assert "nobody" in wrong.stdout + wrong.stderr


# --- what was built -------------------------------------------------------------------------------


def test_the_wheel_is_the_same_by_way_of_the_sdist(built: Built) -> None:
    direct, through = members(built.wheel), members(built.wheel_from_sdist)
    assert direct.keys() == through.keys()
    assert [name for name in direct if direct[name] != through[name]] == []


def test_the_wheel_holds_the_package_and_nothing_else(built: Built, tree: Path) -> None:
    names = members(built.wheel).keys()
    info = f"pipelang_dsl-{__version__}.dist-info"
    assert {PurePosixPath(name).parts[0] for name in names} == {"pipelang", info}
    assert {"pipelang/py.typed", f"{info}/licenses/LICENSE"} <= names
    assert not [name for name in names if name.endswith((".pyc", ".pyo"))]
    strangers = {"tests", "examples", "benchmarks", "docs"}
    assert not [name for name in names if strangers & set(PurePosixPath(name).parts)]
    # Every file of the package travels: a module left out would be missed only by its users.
    package = {f"pipelang/{name}" for name in digests(tree / "pipelang")}
    data = {name for name in names if name.startswith("pipelang/_data/")}
    assert {name for name in names if name.startswith("pipelang/")} - data == package


def test_the_sdist_can_be_built_and_tested(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {str(PurePosixPath(*PurePosixPath(n).parts[1:])) for n in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"} <= names
    assert {"grammar/pipelang.lark", "stdlib/tiers.pipe", "tests/e2e/test_install.py"} <= names
    assert not [n for n in names if n.startswith((".venv", ".git/", ".ci", ".pipelang"))]


def metadata(wheel: Path) -> Message:
    text = members(wheel)[f"pipelang_dsl-{__version__}.dist-info/METADATA"].decode()
    return Parser().parsestr(text)


def test_the_metadata_is_right(built: Built) -> None:
    head = metadata(built.wheel)
    assert head["Name"] == "pipelang-dsl"
    assert head["Version"] == __version__
    assert head["Requires-Python"] == ">=3.11"
    assert head["License-Expression"] == "Apache-2.0"
    assert head["License-File"] == "LICENSE"
    assert head["Description-Content-Type"] == "text/markdown"
    assert set(head.get_all("Provides-Extra", [])) >= {"anthropic", "dev"}
    assert "Typing :: Typed" in head.get_all("Classifier", [])

    scripts = configparser.ConfigParser()
    info = f"pipelang_dsl-{__version__}.dist-info"
    scripts.read_string(members(built.wheel)[f"{info}/entry_points.txt"].decode())
    assert dict(scripts["console_scripts"]) == {"pipelang": "pipelang.interfaces.cli.main:main"}


def test_dependencies_have_a_lower_bound_and_no_upper(built: Built) -> None:
    """An upper bound in a library is a conflict in some host's environment."""
    needs = [Requirement(line) for line in metadata(built.wheel).get_all("Requires-Dist", [])]
    assert {need.name for need in needs if need.marker is None} == {
        "click",
        "filelock",
        "google-re2",
        "jinja2",
        "lark",
        "networkx",
        "numpy",
        "pydantic",
        "rich",
        "tenacity",
    }
    for need in needs:
        if need.name == "dbos":  # its `owner_xid` is internal: decision 0110
            assert {part.operator for part in need.specifier} == {">=", "<"}
        elif need.name != "pipelang-dsl":
            assert [part.operator for part in need.specifier] == [">="], str(need)


def test_the_version_stands_in_one_place(tree: Path) -> None:
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" in project["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?", __version__)
    assert f"## [{__version__}]" in (tree / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_is_pinned_is_for_every_python_that_is_allowed() -> None:
    """Also for Debian 12's, which is older than the one that pinned it: its `make` found nothing to
    install. What `make constraints` takes that is too new for it is put back by hand.
    """
    pinned = re.findall(r"^([\w.-]+)==", (REPO / "constraints.txt").read_text("utf-8"), re.M)
    needed = {}
    for name in pinned:
        try:
            needed[name] = importlib.metadata.metadata(name)["Requires-Python"]
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system
    assert len(needed) > 100
    assert [
        (name, said)
        for name, said in needed.items()
        if said is not None and "3.11.2" not in SpecifierSet(said)
    ] == []
