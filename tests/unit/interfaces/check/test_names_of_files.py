"""One file has one name, however its folder is left and come back to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader

FILES = {
    "app/kinds.pipe": "enum Kind { one two }\n",
    "lib/same.pipe": 'use "../app/kinds.pipe" { Kind }\n'
    "pipeline same(k: Kind) -> Kind { return k }\n",
    "app/main.pipe": 'use "../lib/same.pipe" { same }\nuse "kinds.pipe" { Kind }\n'
    "pipeline p(k: Kind) -> Kind {\n"
    '  step r = run same(k) else fail "no"\n  return r\n}\n',
    "app/round.pipe": 'use "../lib/round.pipe" { K }\nenum Own { x y }\n',
    "lib/round.pipe": 'use "../app/round.pipe" { Own }\nenum K { x y }\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("here", "named"),
    [
        (".", "app/main.pipe"),
        ("app", "main.pipe"),
        ("app", "../app/main.pipe"),
        ("lib", "../app/main.pipe"),
    ],
)
def test_a_program_is_the_same_from_every_folder(
    here: str, named: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In `app` a file came in under two names: "expected `Kind`, found `kinds.Kind`"."""
    monkeypatch.chdir(folder / here)
    found = check_file(named, DiskLoader())
    assert [str(one.message) for one in found.diagnostics if one.is_error] == []


def test_a_circle_is_told_where_it_closes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "app")
    (found,) = check_file("round.pipe", DiskLoader()).diagnostics
    assert found.rule.code == "P206"
    assert "round.pipe -> ../lib/round.pipe -> round.pipe" in found.message


def test_names_where_the_current_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    beside = DiskLoader().beside("../lib/same.pipe", "../app/kinds.pipe")
    assert beside == os.path.join("..", "app", "kinds.pipe")
