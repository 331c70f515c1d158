"""Files that somebody made to harm whoever checks them: what is read, and what is quoted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import MAX_BYTES, MAX_PROGRAM, DiskLoader
from pipelang.interfaces.report.text import report_text
from pipelang.semantics.loading import Unreadable

pytestmark = pytest.mark.skipif(os.name == "nt", reason="named pipes and devices are POSIX")

REPO = Path(__file__).resolve().parents[4]
SECRET = "hunter2 {# is the password"
PROGRAM = "pipeline p(w: text max 9 tokens) -> text { return w }\n"
ASKS = """use std.tiers
prompt a(q: text max 9 tokens) TEMPLATE
pipeline p(w: text max 9 tokens) -> text {
  step t: text max 9 tokens = ask a(w) by haiku { EVIDENCE }
  return t
}
"""


def importing(name: str) -> str:
    return f'use "{name}"\n' + PROGRAM


def templated(name: str) -> str:
    return ASKS.replace("TEMPLATE", f'from "{name}"').replace("EVIDENCE", "accuracy 9 of 10")


def measured(name: str) -> str:
    evidence = f'accuracy from "{name}"'
    return ASKS.replace("TEMPLATE", '"""{{ q }}"""').replace("EVIDENCE", evidence)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with things in it that are no files, beside a secret that lies outside of it."""
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    (project / "folder.pipe").mkdir()
    os.mkfifo(project / "fifo.pipe")
    (project / "link.pipe").symlink_to(tmp_path / "secret")
    (project / "link.md").symlink_to(tmp_path / "secret")
    with (project / "huge.pipe").open("wb") as file:
        file.truncate(100 * 2**30)  # sparse: it takes no room
    return project


def shown(path: Path) -> str:
    return report_text([check_file(str(path))])


@pytest.mark.parametrize("name", ["/dev/zero", "fifo.pipe", "folder.pipe", "huge.pipe"])
@pytest.mark.parametrize("makes", [importing, templated, measured])
def test_what_is_no_file_is_said_and_not_waited_for(tree: Path, makes, name: str) -> None:  # type: ignore[no-untyped-def]
    path = tree / "main.pipe"
    path.write_text(makes(name), encoding="utf-8")
    found = check_file(str(path))
    assert [one.rule.code for one in found.diagnostics if one.is_error] == ["P108"]


@pytest.mark.parametrize("name", ["fifo.pipe", "link.pipe", "huge.pipe"])
def test_what_a_folder_holds_under_the_name_of_a_program(tree: Path, name: str) -> None:
    text = shown(tree / name)
    assert "error[P108]" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "made",
    [
        importing("../secret"),
        importing("link.pipe"),
        templated("../secret"),
        templated("link.md"),
        measured("../secret"),
        measured("link.md"),
    ],
)
def test_no_line_of_a_file_outside_is_quoted(tree: Path, made: str) -> None:
    path = tree / "main.pipe"
    path.write_text(made, encoding="utf-8")
    text = shown(path)
    assert "error[" in text
    assert "hunter2" not in text


def test_lines_of_the_projects_own_templates_are_quoted(tree: Path) -> None:
    (tree / "own.md").write_text("own words {# and no end\n", encoding="utf-8")
    path = tree / "main.pipe"
    path.write_text(templated("own.md"), encoding="utf-8")
    assert "own words" in shown(path)


def test_a_file_that_grows_while_it_is_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is asked first; what is read is bounded all the same."""
    path = tree / "main.pipe"
    path.write_bytes(b"#" * (MAX_PROGRAM + 9))
    small = os.stat(tree / "pyproject.toml")
    monkeypatch.setattr(Path, "stat", lambda *_, **__: small)
    with pytest.raises(Unreadable, match="larger than 8 MB"):
        DiskLoader().read(str(path))
    assert MAX_PROGRAM < MAX_BYTES


def test_what_a_shell_pipes_in_is_read_where_it_was_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelang", "check", "--no-cache", "/dev/stdin"],
        input=PROGRAM,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(Unreadable, match="not a file"):
        DiskLoader().read("/dev/null")


def test_modules_of_the_working_directory_do_not_run(tmp_path: Path) -> None:
    """`python -m pipelang` in a repository that has a `json.py` and a `click/`."""
    (tmp_path / "a.pipe").write_text(PROGRAM, encoding="utf-8")
    libraries = ["click", "re2", "jinja2", "numpy", "json", "gc", "marshal", "decimal", "tomllib"]
    for name in (*libraries, "difflib", "pipelang_tools", "unicodedata", "hashlib"):
        (tmp_path / f"{name}.py").write_text("print('RAN')\n", encoding="utf-8")
    for words in (["check", "."], ["check", "--format=json", "."], ["fmt", "."], ["--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "pipelang", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPO), "PIPELANG_NO_CACHE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "RAN" not in done.stdout + done.stderr
        assert (done.returncode, done.stderr) == (0, ""), words


def test_the_action_runs_no_module_of_the_repository(tmp_path: Path) -> None:
    """The first script of action.yml, with a Python that says how it was called."""
    action = (REPO / "action.yml").read_text(encoding="utf-8")
    assert len(re.findall(r" -m (?:venv|pip) ", action)) == 2
    assert len(re.findall(r" -I -m (?:venv|pip) ", action)) == 2
    script = action.partition("      run: |\n")[2].partition("    - name: Check")[0]
    repository, runner = tmp_path / "repository", tmp_path / "runner"
    (repository / "pip").mkdir(parents=True)
    runner.mkdir()
    for name in ("venv.py", "pip/__init__.py", "pip/__main__.py", "encodings.py"):
        (repository / name).write_text("print('RAN')\n", encoding="utf-8")
    # A Python that makes the environment for true, but installs nothing.
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "$PWD: $*"\nexec "{sys.executable}" "$@" --without-pip\n')
    fake.chmod(0o755)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-c", script.partition("if [ -d")[0]],
        cwd=repository,
        env={**os.environ, "RUNNER_TEMP": str(runner), "PIPELANG_PYTHON": "../python"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "RAN" not in done.stdout + done.stderr
    assert f"{runner}: -I -m venv {runner}/pipelang" in done.stdout
