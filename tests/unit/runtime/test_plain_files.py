"""Pipes and devices in a state folder are told, and never waited for or read without end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.runs.trace_files import follow, read
from pipelang.runtime.engine.world import NOTHING
from pipelang.runtime.files.plain_files import read_plain
from pipelang.runtime.files.private_files import append_line
from pipelang.runtime.shared.disk_cache import DiskCache
from pipelang.runtime.shared.kill_switches import FolderSwitches
from pipelang.runtime.sinks.audit import AuditLog
from pipelang.runtime.sinks.audit_verification import verify

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")

NO_FILE = "plain file|directory|symbolic links"

MAKERS: dict[str, Callable[[Path], None]] = {
    "pipe": lambda path: os.mkfifo(path),
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "full": lambda path: path.symlink_to("/dev/full"),
    "folder": lambda path: path.mkdir(),
}


@pytest.fixture(params=sorted(MAKERS))
def strange(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "strange.jsonl"
    MAKERS[request.param](path)
    return path


def test_reading(strange: Path) -> None:
    readers: list[Callable[[Path], Any]] = [
        read_plain,
        read,
        verify,
        lambda path: next(follow(path)),
    ]
    for reader in readers:
        with pytest.raises(OSError, match=NO_FILE):
            reader(strange)


def test_writing(strange: Path) -> None:
    with pytest.raises(OSError, match=NO_FILE):
        append_line(strange, b"{}\n")
    with pytest.raises(OSError, match=NO_FILE):
        AuditLog(strange).append("kill", "all", None, None, {})


def test_a_switch_that_cannot_be_read_is_on(strange: Path) -> None:
    folder = strange.parent / "kills"
    folder.mkdir()
    strange.rename(folder / "everything.json")
    why = FolderSwitches(folder).why(("main",), None)
    assert why is not None
    assert "cannot be read" in why


def test_a_cache_that_cannot_be_read_is_empty(strange: Path) -> None:
    cache = DiskCache(strange.parent / "cache")
    key = (None, "hash", "place", "[]")
    cache.store(key, "answer", 60)
    (file,) = (path for path in (strange.parent / "cache").rglob("*") if path.is_file())
    file.unlink()
    strange.rename(file)
    try:
        found = cache.find(key)
    except OSError:
        found = NOTHING  # as the run takes it
    assert found is NOTHING


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to("a")
    assert read_plain(tmp_path / "b") == b"x"
