"""The data folders are found where they may lie, and only there."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

import pipelang.resources

OURS = '[project]\nname = "pipelang-dsl"\n'
THEIRS = '[project]\nname = "something-else"\n'


def installed_at(root: Path) -> ModuleType:
    """The module as it behaves in `root`/pipelang: it looks only at where its own file lies."""
    package = root / "pipelang"
    package.mkdir()
    file = shutil.copy(pipelang.resources.__file__, package)
    spec = importlib.util.spec_from_file_location("resources_under_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_below_the_package_in_a_wheel(tmp_path: Path) -> None:
    module = installed_at(tmp_path)
    folder = tmp_path / "pipelang" / "_data" / "stdlib"
    folder.mkdir(parents=True)
    (tmp_path / "stdlib").mkdir()  # somebody else's, in site-packages
    assert module.resource("stdlib") == folder


def test_beside_the_package_in_a_checkout(tmp_path: Path) -> None:
    module = installed_at(tmp_path)
    (tmp_path / "grammar").mkdir()
    (tmp_path / "pyproject.toml").write_text(OURS, encoding="utf-8")
    assert module.resource("grammar") == tmp_path / "grammar"


@pytest.mark.parametrize("project", [None, THEIRS])
def test_a_folder_of_somebody_else_is_not_ours(tmp_path: Path, project: str | None) -> None:
    module = installed_at(tmp_path)
    (tmp_path / "stdlib").mkdir()
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    with pytest.raises(FileNotFoundError) as caught:
        module.resource("stdlib")
    message = str(caught.value)
    assert str(tmp_path / "pipelang" / "_data" / "stdlib") in message
    assert str(tmp_path / "stdlib") in message


def test_a_project_file_that_is_no_text_is_not_ours(tmp_path: Path) -> None:
    module = installed_at(tmp_path)
    (tmp_path / "stdlib").mkdir()
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileNotFoundError, match="stdlib"):
        module.resource("stdlib")
