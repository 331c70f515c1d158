"""The extension of VS Code at its start, in an editor that writes down what it is asked for."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

DRIVE = Path(__file__).parent / "editors" / "extension.js"
DO_NOT_RESTART, RESTART = 1, 2

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def happened(*commands: str, **more: object) -> list[list[object]]:
    """What the extension did and said with one command set, then with each of the others."""
    run = subprocess.run(
        ["node", str(DRIVE)],
        input=json.dumps({"commands": commands, **more}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    told: list[list[object]] = json.loads(run.stdout)
    return told


def test_a_start_says_nothing():
    (started, ready) = happened("pipelang")
    assert started[:2] == ["started", "pipelang"]
    assert ready == ["ready"]


def test_earlier_versions_in_a_diff_are_no_files():
    """They are documents of git: what they name beside them would all be missing."""
    (started, _) = happened("pipelang")
    assert set(started[2:]) == {"file", "untitled"}


@pytest.mark.parametrize(
    ("command", "mend"), [("missing", "`pipelang.command`"), ("broken", "the output says why")]
)
def test_a_server_that_does_not_start_is_one_message_that_nobody_waits_for(command: str, mend: str):
    told = happened(command)
    (said,) = [one for one in told if one[0] in ("said", "popup")]
    assert said[0] == "said"
    assert f"`{command}" in str(said[1])
    assert mend in str(said[1])
    assert "pip install -e '.[lsp]'" in str(said[1])
    assert said[2:] == ["Settings", "Output"]
    assert ["ready"] in told
    assert ["closed", RESTART] not in told


def test_another_command_is_started_when_it_is_set():
    told = happened("missing", "pipelang")
    assert [one[1] for one in told if one[0] == "started"] == ["missing", "pipelang"]


def test_the_server_before_ends_first():
    told = happened("pipelang", "other")
    assert [one[:2] for one in told[-2:]] == [["stopped", "pipelang"], ["started", "other"]]


def test_a_server_that_was_there_comes_back():
    assert ["closed", RESTART] in happened("crashing")


CALLS = {
    "pipelang.check": ["check"],
    "pipelang.showReport": ["check", "--format", "html"],
    "pipelang.graph": ["graph", "--format", "svg"],
    "pipelang.run": ["run", "p", "--input", "{}"],
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("document", "file"),
    [
        ({"path": "/a/b.pipe", "language": "pipelang"}, "/a/b.pipe"),
        ({"path": "/a/b.pipe", "language": "pipelang", "dirty": True}, "/a/b.pipe"),
        (
            {
                "path": "Untitled-1",
                "language": "pipelang",
                "untitled": True,
                "becomes": "/a/new.pipe",
            },
            "/a/new.pipe",
        ),
    ],
)
def test_a_command_is_about_the_file_that_is_shown(call: str, document: dict[str, object], file):
    """A text without a name is another document once it is saved: it is that one's name."""
    verb, *options = CALLS[call]
    told = happened("pipelang", call=call, document=document)
    assert told[-1] == ["ran", "pipelang", verb, Path(file).name, *options]
    assert (["saved", file] in told) == bool(document.get("dirty") or document.get("untitled"))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "document",
    [
        None,
        {"path": "/a/b.txt", "language": "plaintext", "dirty": True},
        {"path": "Untitled-1", "language": "pipelang", "untitled": True, "becomes": None},
        {"path": "Untitled-1", "language": "pipelang", "untitled": True, "becomes": "/a/b.txt"},
    ],
)
def test_without_a_file_nothing_is_run(call: str, document: dict[str, object] | None):
    """None is shown, or another kind, or nobody wants to save it; no stranger's file is saved."""
    told = happened("pipelang", call=call, document=document)
    assert [one for one in told if one[0] == "ran"] == []
    assert ["saved", "/a/b.txt"] not in told or (document or {}).get("becomes") == "/a/b.txt"
