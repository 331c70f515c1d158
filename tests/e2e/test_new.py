"""`pipelang new`: what it writes checks, tests and runs, and nothing that is there is touched."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from pipelang.interfaces.cli import new
from pipelang.interfaces.cli.main import main

TEMPLATES = sorted(new.TEMPLATES)

every_template = pytest.mark.parametrize("template", TEMPLATES)


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, no key, and no way out into the network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("ANTHROPIC_API_KEY", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def no_network(*_: object) -> None:
        raise AssertionError("something went out into the network")

    monkeypatch.setattr("socket.socket.connect", no_network)


def everything(folder: Path) -> dict[str, str]:
    """The texts of all files below a folder, by their paths; links as what they point to."""
    return {
        path.relative_to(folder).as_posix(): (
            os.readlink(path) if path.is_symlink() else path.read_text(encoding="utf-8")
        )
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and "__pycache__" not in path.parts
    }


def commands(text: str) -> list[list[str]]:
    """The `pipelang` lines in what was printed, or in a README."""
    found = re.findall(r"^ *pipelang (.*)$", text, re.MULTILINE)
    return [shlex.split(line) for line in found]


# ------------------------------------------------------------------------------ what it writes


@every_template
def test_the_commands_that_it_prints_work(template: str, capsys: pytest.CaptureFixture[str]):
    assert main(["new", "desk/first_try", "--template", template]) == 0
    following = commands(capsys.readouterr().out)
    assert [line[0] for line in following] == ["check", "test", "run"]
    for line in following:
        assert main(line) == 0
        said = capsys.readouterr()
        assert "simulated" not in said.out + said.err


@every_template
def test_the_commands_of_its_readme_work(template: str, monkeypatch: pytest.MonkeyPatch):
    assert main(["new", "first_try", "--template", template]) == 0
    monkeypatch.chdir("first_try")
    following = commands(Path("README.md").read_text(encoding="utf-8"))
    assert [line[0] for line in following] == ["check", "test", "run"]
    assert [main(line) for line in following] == [0, 0, 0]


@every_template
def test_it_checks_without_a_warning(template: str, capsys: pytest.CaptureFixture[str]):
    assert main(["new", "--template", template]) == 0
    capsys.readouterr()
    assert main(["check", template, "--strict", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["diagnostics"] == []
    (pipeline,) = report["pipelines"].values()
    assert pipeline["slo"]
    assert all(promise["holds"] for promise in pipeline["slo"])


@every_template
def test_it_is_in_the_one_layout_and_tests_its_rules(
    template: str, capsys: pytest.CaptureFixture[str]
):
    main(["new", "--template", template])
    assert main(["fmt", "--check", template]) == 0
    capsys.readouterr()
    assert main(["test", template, "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["tests"]) >= 4


@every_template
def test_without_a_key_it_plays_its_recording_and_shows_every_outcome(
    template: str, capsys: pytest.CaptureFixture[str]
):
    main(["new", "--template", template])
    capsys.readouterr()
    inputs = Path(template, new.TEMPLATES[template][1])
    run = ["run", f"{template}/{template}.pipe", "--input", f"@{inputs}", "--format", "json"]
    assert main(run) == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(results) == len(inputs.read_text(encoding="utf-8").splitlines())
    assert {result["outcome"] for result in results} == {"answered", "escalated"}
    left = [path for path in Path(template).glob("*.jsonl") if path != inputs]
    answered = sum(result["outcome"] == "answered" for result in results)
    assert [len(path.read_text(encoding="utf-8").splitlines()) for path in left] == [answered]


@every_template
def test_the_name_is_that_of_the_folder(template: str):
    assert main(["new", "desk/help_desk", "--template", template]) == 0
    files = everything(Path("desk/help_desk"))
    assert {"help_desk.pipe", "recordings/help_desk.jsonl", "tools.py"} < set(files)
    assert any(path.startswith("evals/") for path in files)
    readme = files["README.md"]
    assert readme.startswith("# help_desk\n")
    assert f"{template}.pipe" not in readme
    assert f"{template}.jsonl" not in readme
    named = set(re.findall(r"`([\w/]+\.\w+)`", readme))
    assert set(files) - {"README.md"} <= named


def test_the_template_is_support_unless_named_and_names_the_folder():
    assert main(["new"]) == 0
    assert Path("support/support.pipe").is_file()


def test_it_writes_into_the_folder_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    monkeypatch.chdir(tmp_path / "mine")
    assert main(["new", "."]) == 0
    assert Path("mine.pipe").is_file()
    assert Path("notes.txt").read_text() == "keep me"


# ------------------------------------------------------------------------- what it never does

FILES = sorted(path.as_posix() for path, _ in new.contents("support", "support"))


@pytest.mark.parametrize("taken", FILES)
def test_it_never_overwrites(taken: str, capsys: pytest.CaptureFixture[str]):
    file = Path("support", taken)
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert main(["new", "support"]) == 2
    assert str(file) in capsys.readouterr().err
    assert everything(Path("support")) == {taken: "mine"}


def test_twice_is_once():
    assert main(["new", "support"]) == 0
    before = everything(Path("support"))
    assert main(["new", "support", "--template", "extract"]) == 2
    assert everything(Path("support")) == before


@pytest.mark.parametrize("taken", ["support", "support/evals", "support/recordings"])
def test_a_file_where_a_folder_should_be_stays(taken: str, capsys: pytest.CaptureFixture[str]):
    Path(taken).parent.mkdir(exist_ok=True)
    Path(taken).write_text("mine")
    assert main(["new", "support"]) == 2
    assert str(Path(taken)) in capsys.readouterr().err
    assert everything(Path()) == {taken: "mine"}


def test_a_link_to_nowhere_is_not_followed(capsys: pytest.CaptureFixture[str]):
    Path("support").mkdir()
    Path("support/tools.py").symlink_to("../elsewhere.py")
    assert main(["new", "support"]) == 2
    assert str(Path("support/tools.py")) in capsys.readouterr().err
    assert not Path("elsewhere.py").exists()
    assert everything(Path()) == {"support/tools.py": "../elsewhere.py"}


def test_what_cannot_be_written_as_a_whole_leaves_nothing_behind():
    too_long = Path("support", "x" * 300)
    with pytest.raises(OSError, match="name too long"):
        new.write_all({Path("support/evals/a"): b"1", too_long: b"2"})
    assert list(Path().iterdir()) == []


def test_a_folder_that_takes_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(files: object) -> None:
        raise OSError(28, "No space left on device", "support/tools.py")

    monkeypatch.setattr(new, "write_all", full)
    assert main(["new", "support"]) == 2
    assert "support/tools.py cannot be written: No space" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Help-Desk", "how about `help_desk`?"),
        ("support.pipe", "how about `support`?"),
        ("2nd", "cannot be"),
        ("kündigung", "how about `k_ndigung`?"),
        ("a b", "how about `a_b`?"),
        ("", "cannot be"),
        ("x" * 41, "how about"),
        ("-", "cannot be"),
        ("con", "device"),
        ("AUX.pipe", "device"),
        ("sub/nul", "device"),
    ],
)
def test_names_that_would_make_trouble(name: str, hint: str, capsys: pytest.CaptureFixture[str]):
    assert main(["new", name]) == 2
    assert hint in " ".join(capsys.readouterr().err.split())
    assert list(Path().iterdir()) == []


def test_an_unknown_template_is_wrong_usage(capsys: pytest.CaptureFixture[str]):
    assert main(["new", "desk", "--template", "chess"]) == 2
    assert "'support', 'extract', 'classify'" in capsys.readouterr().err


def test_help_lists_the_templates(capsys: pytest.CaptureFixture[str]):
    assert main(["new", "--help"]) == 0
    said = capsys.readouterr().out
    for template, (what, _) in new.TEMPLATES.items():
        assert re.search(rf"{template} +{re.escape(what)}", said)


# ------------------------------------------------------------------------------ the templates


def test_every_folder_of_starters_is_a_template():
    folders = {path.name for path in new.STARTERS.iterdir() if path.name != "__pycache__"}
    assert folders == set(new.TEMPLATES)


@every_template
def test_compiled_files_do_not_travel(template: str, tmp_path: Path, monkeypatch):
    copy = tmp_path / "starters" / template
    (copy / "__pycache__").mkdir(parents=True)
    (copy / "__pycache__" / "tools.cpython-311.pyc").write_bytes(b"\0")
    (copy / f"{template}.pipe").write_text("")
    monkeypatch.setattr(new, "STARTERS", tmp_path / "starters")
    assert [str(path) for path, _ in new.contents(template, "x")] == ["x.pipe"]
