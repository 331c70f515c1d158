"""What CI uses: the action's own scripts in a real shell, the hooks, and whole repositories."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ..warm import command, command_text

REPO = Path(__file__).resolve().parents[2]
ACTION = (REPO / "action.yml").read_text(encoding="utf-8")
HOOKS = (REPO / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
SOUND = "pipeline p(word: text max 9 tokens) -> text { return word }\n"
WARNED = SOUND + "fn idle() -> int = 1\n"
BROKEN = SOUND.replace("return", "retrun")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the runner's bash is looked at on POSIX")


def scripts() -> list[str]:
    """The `run` blocks of the action, in order. They are plain blocks, so no YAML is needed."""
    found = re.findall(r"^      run: \|\n((?:        .*\n|\n)+)", ACTION, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def act(folder: Path, **inputs: str) -> tuple[int, str, str]:
    """The step `Check` with some inputs: exit code, log, and what was handed on."""
    inside = folder / "runner" / "pipelang" / "bin"
    inside.mkdir(parents=True, exist_ok=True)
    command = inside / "pipelang"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipelang "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    handed = folder / "handed"
    handed.write_text("", encoding="utf-8")
    given = dict.fromkeys(re.findall(r"^        (PIPELANG_[A-Z]+): ", ACTION, re.MULTILINE), "")
    given |= {"PIPELANG_FORMAT": "github", "PIPELANG_PATHS": "."}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", scripts()[1]],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(REPO),
            "RUNNER_TEMP": str(folder / "runner"),
            "GITHUB_OUTPUT": str(handed),
            **given,
            **{f"PIPELANG_{name.upper()}": value for name, value in inputs.items()},
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr, handed.read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "sound.pipe": SOUND,
        "a b/warned.pipe": WARNED,
        "broken/x.pipe": BROKEN,
        ".hidden/x.pipe": BROKEN,
        ".git/x.pipe": BROKEN,
        "node_modules/m/x.pipe": BROKEN,
        "env/lib/x.pipe": BROKEN,
        "env/pyvenv.cfg": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_whole_repository(folder: Path) -> None:
    done = command_text("check", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.endswith("\n1 error and 1 warning in 3 files\n")
    assert done.stdout.index("a b/warned.pipe") < done.stdout.index("broken/x.pipe")
    assert done.stdout.index("broken/x.pipe") < done.stdout.index("sound.pipe:1")


def test_the_action_annotates(folder: Path) -> None:
    code, log, handed = act(folder)
    assert (code, handed) == (1, "exit-code=1\n")
    assert "::error file=broken/x.pipe,line=1," in log
    assert "::warning file=a b/warned.pipe,line=2," in log


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"paths": "sound.pipe"}, 0),
        ({"paths": "sound.pipe\na b\n"}, 0),
        ({"paths": "sound.pipe\r\na b/warned.pipe\r\n", "strict": "true"}, 1),
        ({"paths": "a b", "strict": "true", "ignore": "P204"}, 0),
        ({"paths": "a b", "strict": "true", "select": "P5,P6"}, 0),
        ({"paths": "sound.pipe", "profile": "production"}, 1),
        ({"paths": "sound.pipe", "profile": "prod"}, 2),
        ({"paths": "sound.pipe", "format": "yaml"}, 2),
        ({"paths": "nowhere"}, 2),
        ({"paths": "--help"}, 2),
        ({"paths": "$(touch made)\n`touch made`\n; touch made"}, 2),
    ],
)
def test_the_inputs_of_the_action(folder: Path, inputs: dict[str, str], code: int) -> None:
    found, log, handed = act(folder, **inputs)
    assert found == code, log
    assert handed == f"exit-code={code}\n"
    assert not (folder / "made").exists()


def test_the_action_writes_a_log_for_code_scanning(folder: Path) -> None:
    code, log, _ = act(folder, format="sarif", output="found.sarif")
    assert (code, log) == (1, "")
    made = json.loads((folder / "found.sarif").read_text(encoding="utf-8"))
    uris = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in made["runs"][0]["results"]
    }
    assert uris == {"a%20b/warned.pipe", "broken/x.pipe"}


def test_every_input_of_the_action_is_used_and_none_stands_in_a_script() -> None:
    block = ACTION.partition("\ninputs:\n")[2].partition("\noutputs:\n")[0]
    inputs = re.findall(r"^  ([a-z]+):$", block, re.MULTILINE)
    assert len(inputs) == 8
    for name in inputs:
        assert f"${{{{ inputs.{name} }}}}" in ACTION
    assert len(scripts()) == 2
    assert not any("${{" in script for script in scripts())
    page = (REPO / "docs" / "ci.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in inputs)


@pytest.mark.parametrize("name", ["check", "fmt"])
def test_the_hooks_name_commands_that_there_are(name: str, folder: Path) -> None:
    assert f"- id: pipelang-{name}\n" in HOOKS
    (entry,) = re.findall(rf"^  entry: pipelang ({name})$", HOOKS, re.MULTILINE)
    done = command(entry, "sound.pipe", "a b/warned.pipe", cwd=folder)
    assert done.returncode == 0
