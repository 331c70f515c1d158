"""A release could be made: built twice it has the same bytes, and its bill lists what it needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipelang.version import __version__
from release.artifacts import REPO, NotReproducible, build, sha256, twice
from release.sbom import sbom
from release.tries import GREETING, STEPS
from tests.e2e.test_install import run

EPOCH = "1780000000"
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or not (REPO / ".git").exists(),
    reason="what is built twice is what git lists, and this is no checkout",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    work = tmp_path_factory.mktemp("release")
    return twice(REPO, work / "dist", work, EPOCH)


def test_built_twice_the_artifacts_are_the_same(built: list[Path]):
    assert [file.name for file in built] == [
        f"pipelang_dsl-{__version__}-py3-none-any.whl",
        f"pipelang_dsl-{__version__}.tar.gz",
    ]
    with zipfile.ZipFile(built[0]) as wheel:
        assert {one.date_time for one in wheel.infolist()} == {(2026, 5, 28, 20, 26, 40)}


def test_what_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    number = iter(range(9))

    def another(source: Path, target: Path, time: str) -> list[Path]:
        target.mkdir(exist_ok=True)
        (target / "x.whl").write_text(str(next(number)))
        (target / "x.tar.gz").write_text("the same")
        return sorted(target.iterdir())

    monkeypatch.setattr("release.artifacts.build", another)
    with pytest.raises(NotReproducible, match=r"differ: x.whl$"):
        twice(REPO, tmp_path / "dist", tmp_path, EPOCH)


def test_a_build_that_fails_says_why(tmp_path: Path):
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'gone'\n"
    )
    with pytest.raises(RuntimeError, match="gone"):
        build(tmp_path, tmp_path / "dist", EPOCH)


@pytest.fixture(scope="module")
def bill(built: list[Path]) -> dict[str, Any]:
    text = sbom(built, PROJECT, __version__, int(EPOCH))
    assert text == sbom(built, PROJECT, __version__, int(EPOCH))
    return json.loads(text)


def test_the_bill_names_the_artifacts_by_their_hashes(bill: dict[str, Any], built: list[Path]):
    about = bill["metadata"]["component"]
    assert (about["name"], about["version"]) == ("pipelang-dsl", __version__)
    assert [one["content"] for one in about["hashes"]] == [sha256(file) for file in built]
    assert bill["metadata"]["timestamp"] == "2026-05-28T20:26:40Z"


def test_the_bill_lists_all_that_an_installation_brings_and_nothing_of_the_workshop(
    bill: dict[str, Any],
):
    scopes = {one["name"]: one["scope"] for one in bill["components"]}
    for line in PROJECT["dependencies"]:
        assert scopes[line.split(">")[0]] == "required"
    assert scopes["pydantic-core"] == "required"  # not named by us, but by pydantic
    assert scopes["anthropic"] == "optional"
    assert not {"pytest", "mkdocs", "mypy", "ruff"} & set(scopes)
    listed = {one["bom-ref"] for one in bill["components"]} | {
        bill["metadata"]["component"]["bom-ref"]
    }
    edges = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert set(edges) == listed
    assert {to for found in edges.values() for to in found} <= listed
    required = [one for one in bill["components"] if one["scope"] == "required"]
    assert all(one["version"] and one["licenses"] for one in required)


def test_the_steps_that_a_wheel_is_tried_with_work_here(tmp_path: Path):
    for step in STEPS:
        done = run(sys.executable, "-P", "-m", "pipelang", *step, cwd=tmp_path)
        assert done.returncode == 0


def test_an_editor_that_comes_and_goes(tmp_path: Path):
    """The wheel's extra `lsp` is tried so. An editor that goes without a word is an error."""
    server = [sys.executable, "-P", "-m", "pipelang", "lsp"]

    def spoken(said: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            server, cwd=tmp_path, input=said, capture_output=True, text=True, timeout=60
        )

    done = spoken(GREETING)
    assert done.returncode == 0
    assert '"serverInfo"' in done.stdout
    assert spoken("").returncode == 1
