"""An entry is believed while nothing has changed, and while nobody else can have written it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from pipelang.interfaces.cache.entries import Shelf
from pipelang.interfaces.check.file_snapshot import FileSnapshot

SHELF = Shelf("things", most_entries=3, most_bytes=10_000)
ENOUGH = "pipelang.interfaces.cache.entries._OLD_ENOUGH"
posix = pytest.mark.skipif(os.name == "nt", reason="owners and modes are POSIX")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.delenv("PIPELANG_NO_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(question: object, what: object = "kept", seen: FileSnapshot | None = None) -> Path:
    """Keep something; the file of its entry."""
    path = SHELF.entry(question)
    assert path is not None
    SHELF.remember(path, what, seen or FileSnapshot())
    return Path(path)


def test_what_is_kept_comes_back() -> None:
    path = kept("a", ("text", 1, None))
    assert SHELF.recall(str(path)) == ("text", 1, None)
    assert SHELF.entry("a") == str(path)
    assert SHELF.entry("b") != str(path)


def test_another_place_and_another_python_path_are_other_questions(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = SHELF.entry("a")
    monkeypatch.syspath_prepend(str(place / "cache"))
    (place / "cache").mkdir()
    assert SHELF.entry("a") != path
    monkeypatch.undo()
    (place / "inside").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.chdir(place / "inside")
    assert SHELF.entry("a") != path


@pytest.fixture
def code(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of ours that is loaded, beside one that is not. Their files are old enough."""
    ours = place / "ours"
    ours.mkdir()
    for name in ("loaded", "absent"):
        (ours / f"{name}.py").write_text("a = 1\n")
    loaded = ModuleType("loaded")
    loaded.__file__ = str(ours / "loaded.py")
    monkeypatch.setitem(sys.modules, "loaded", loaded)
    monkeypatch.setattr("pipelang.interfaces.cache.entries.package_folder", lambda: str(ours))
    monkeypatch.setattr(ENOUGH, time.time_ns() + 10**12)
    return ours


def test_an_edit_to_pipelang_is_a_miss(code: Path) -> None:
    """Only to what was loaded: what was not had no part in the answer."""
    path = kept("a")
    (code / "absent.py").write_text("a = 2\n")
    assert SHELF.recall(str(path)) == "kept"
    before = os.stat(code / "loaded.py")
    (code / "loaded.py").write_text("a = 2\n")
    os.utime(code / "loaded.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert SHELF.recall(str(path)) is None


def test_a_module_that_is_gone_is_a_miss(code: Path) -> None:
    path = kept("a")
    (code / "loaded.py").unlink()
    assert SHELF.recall(str(path)) is None


def test_what_code_made_that_may_be_another_by_now_is_not_kept(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written when this process was at work already, or so shortly before that times do not say."""
    status = os.stat(code / "loaded.py")
    edited = status.st_mtime_ns if os.name == "nt" else status.st_ctime_ns
    monkeypatch.setattr(ENOUGH, edited - 1)
    assert not kept("a").exists()
    monkeypatch.setattr(ENOUGH, edited)
    assert kept("a").exists()


def test_code_that_is_in_no_file_keeps_nothing(code: Path) -> None:
    """As in an archive."""
    sys.modules["loaded"].__file__ = str(code / "archive.zip" / "loaded.py")
    assert not kept("a").exists()


def test_changed_files_are_seen(place: Path) -> None:
    file = place / "read"
    file.write_bytes(b"one")
    seen = FileSnapshot()
    seen.file(str(file), b"one")
    seen.file(str(place / "absent"), None)
    path = kept("a", seen=seen)
    assert SHELF.recall(str(path)) == "kept"
    file.write_bytes(b"onf")
    assert SHELF.recall(str(path)) is None
    file.write_bytes(b"one")
    assert SHELF.recall(str(path)) == "kept"
    (place / "absent").touch()
    assert SHELF.recall(str(path)) is None


def test_what_changed_while_it_was_read_is_not_kept(place: Path) -> None:
    seen = FileSnapshot()
    seen.file("read", b"one")
    seen.file("read", b"two")
    assert not kept("a", seen=seen).exists()


@pytest.mark.parametrize("at", [0, 5, 31, 32, 40, -1])
def test_a_byte_that_differs_is_a_miss(at: int) -> None:
    path = kept("a")
    held = bytearray(path.read_bytes())
    held[at] ^= 1
    path.write_bytes(held)
    assert SHELF.recall(str(path)) is None


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, -1])
def test_half_an_entry_is_a_miss(size: int) -> None:
    path = kept("a")
    path.write_bytes(path.read_bytes()[:size])
    assert SHELF.recall(str(path)) is None


def test_an_entry_in_the_place_of_another_is_a_miss() -> None:
    """Whoever can only rename in the folder cannot have one program run for another."""
    first, second = kept("a", "first"), kept("b", "second")
    shutil.copyfile(first, second)
    assert SHELF.recall(str(second)) is None
    assert SHELF.recall(str(first)) == "first"


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_what_others_can_write_is_a_miss(mode: int) -> None:
    path = kept("a")
    path.chmod(mode)
    assert SHELF.recall(str(path)) is None


@posix
def test_what_another_user_has_written_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept("a")
    somebody = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    assert SHELF.recall(str(path)) is None


@posix
def test_entries_are_for_their_owner_only() -> None:
    path = kept("a")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@posix
def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept("a")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    for name in ("utime", "replace", "makedirs"):
        monkeypatch.setattr(os, name, refused)
    assert SHELF.recall(str(path)) == "kept"
    SHELF.remember(str(path), "new", FileSnapshot())
    assert SHELF.recall(str(path)) == "kept"


def test_a_file_in_the_folders_place(place: Path) -> None:
    (place / "cache").write_text("no folder")
    assert not kept("a").exists()


def test_the_oldest_go_first_and_what_is_too_long_is_not_kept() -> None:
    paths = [kept(number) for number in range(3)]
    for age, path in enumerate(paths):
        os.utime(path, ns=(age, age))
    assert SHELF.recall(str(paths[0])) == "kept"  # wanted again
    paths.append(kept(3))
    assert [path.exists() for path in paths] == [True, False, True, True]
    assert not kept("long", "x" * 20_000).exists()


@pytest.mark.parametrize(("name", "value"), [("PIPELANG_NO_CACHE", "1"), ("HOME", "nowhere")])
def test_no_place(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    if name == "HOME":
        if os.name == "nt":
            monkeypatch.delenv("LOCALAPPDATA")
        monkeypatch.delenv("XDG_CACHE_HOME")
    assert SHELF.entry("a") is None
