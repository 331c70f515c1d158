"""What commands write is whole or not there: a full disk takes nothing of what was there before."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelang.interfaces.cli.commands import group
from pipelang.runtime.files.whole_files import write_whole

FILE = "pipeline p(x: int in 0..9) -> int {\n  return x\n}\n"


def test_a_file_is_replaced_with_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    old, link, new = tmp_path / "old", tmp_path / "link", tmp_path / "new"
    old.write_bytes(b"1")
    old.chmod(0o640)
    link.symlink_to(old)
    write_whole(str(link), b"22")
    assert link.is_symlink()
    assert (old.read_bytes(), stat.S_IMODE(old.stat().st_mode)) == (b"22", 0o640)
    mask = os.umask(0o027)
    try:
        write_whole(str(new), b"3")
    finally:
        os.umask(mask)
    assert (new.read_bytes(), stat.S_IMODE(new.stat().st_mode)) == (b"3", 0o640)
    write_whole(os.devnull, b"4")
    assert not stat.S_ISREG(os.stat(os.devnull).st_mode)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "new", "old"]


@pytest.mark.parametrize(
    "words",
    [
        ["compile", "p.pipe", "--to", "ir", "--output", "out"],
        ["graph", "p.pipe", "--format", "dot", "--output", "out"],
        ["prices", "--update", "--output", "out"],
    ],
    ids=lambda words: words[0],
)
def test_a_full_disk_leaves_what_was_there(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.pipe").write_text(FILE)
    Path("out").write_text("what was there")
    real = open

    def full(*args: Any, **more: Any) -> Any:
        mode = args[1] if len(args) > 1 else more.get("mode", "r")
        opened = real(*args, **more)
        named = Path(str(args[0])).name == "out" or Path(str(args[0])).name.startswith(".pipelang-")
        if set(mode) & {"w", "x"} and named:
            opened.close()
            raise OSError(28, "No space left on device")
        return opened

    monkeypatch.setattr("builtins.open", full)
    told = CliRunner().invoke(group, words)
    monkeypatch.undo()
    assert told.exit_code != 0
    assert "cannot be written: No space left on device" in told.stderr
    assert (tmp_path / "out").read_text() == "what was there"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out", "p.pipe"]
