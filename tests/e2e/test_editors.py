"""Editors as people set them up: Neovim headless, Helix's settings, the extension of VS Code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from pipelang.interfaces.language_server.features.code_actions import EXPLAIN
from pipelang.interfaces.language_server.features.lenses import REPORT
from pipelang.interfaces.language_server.session import look
from pipelang.syntax.lexicon import DECLARING
from pipelang.syntax.lexicon import ITEMS as ITEMS_OF_PIPELINES
from pipelang.version import __version__ as VERSION

from .test_language_server import SMALL

REPO = Path(__file__).parents[2]
DRIVE = Path(__file__).parent / "editors" / "drive.lua"


@pytest.fixture
def path_with_pipelang(tmp_path: Path) -> str:
    """A path on which `pipelang` is the one of this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "pipelang"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m pipelang "$@"\n')
    command.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.skipif(shutil.which("nvim") is None, reason="needs Neovim (Debian: neovim)")
@pytest.mark.parametrize("mark", [".git", "pyproject.toml"])
def test_neovim(tmp_path: Path, path_with_pipelang: str, mark: str):
    folder = tmp_path / "flows"
    folder.mkdir()
    (tmp_path / mark).mkdir() if mark == ".git" else (tmp_path / mark).touch()
    (folder / "small.pipe").write_text(SMALL, encoding="utf-8")
    settings = str(REPO / "editors/neovim/pipelang.lua")
    run = subprocess.run(
        ["nvim", "--headless", "-u", settings, "small.pipe", "-c", f"luafile {DRIVE}"],
        cwd=folder,
        env={
            **os.environ,
            "PATH": path_with_pipelang,
            "PYTHONPATH": str(REPO),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=180,
    )
    found = re.search(r"SEEN (\{.*\})", run.stdout + run.stderr)
    assert found is not None, run.stdout + run.stderr
    seen = json.loads(found[1])
    assert "problem" not in seen, seen
    assert "not supported" not in run.stdout + run.stderr
    assert Path(seen["root"]).resolve() == tmp_path.resolve()
    assert re.fullmatch("  return (reply|word)", seen["formatted"]), seen["formatted"]
    assert all(seen[what] for what in ("attached", "numbers", "finding", "mended")), seen
    assert seen["lens"].startswith("answered right 8")
    assert "step reply: text" in seen["hover"]
    assert seen["definition"] == 6
    assert seen["renamed"] == SMALL.replace("reply", "word").rstrip("\n")
    assert {"haiku", "staff"} <= set(seen["completion"])


@pytest.mark.skipif(shutil.which("nvim") is None, reason="needs Neovim (Debian: neovim)")
@pytest.mark.parametrize(("name", "times"), [("a.pipe", 1), ("fugitive://x/.git//0/a.pipe", 0)])
def test_neovim_starts_no_server_for_an_earlier_version(tmp_path: Path, name: str, times: int):
    """What a diff shows stands beside no files: all that it names would be missing."""
    counted = (
        "lua started = 0; vim.lsp.buf_attach_client = function() end;"
        "vim.lsp.start_client = function() started = started + 1; return 1 end;"
        "if vim.lsp.start then vim.lsp.start = vim.lsp.start_client end"
    )
    settings = str(REPO / "editors/neovim/pipelang.lua")
    shown = ["-c", "lua io.stderr:write('STARTED ' .. started)", "-c", "qa!"]
    run = subprocess.run(
        ["nvim", "--headless", "--cmd", counted, "-u", settings, name, *shown],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert f"STARTED {times}" in run.stdout + run.stderr, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("language", "file"),
    [("lua", "editors/neovim/pipelang.lua"), ("toml", "editors/helix/languages.toml")],
)
def test_the_page_shows_the_settings_that_are_tried(language: str, file: str):
    page = (REPO / "docs/editors.md").read_text(encoding="utf-8")
    (shown,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert shown == (REPO / file).read_text(encoding="utf-8")


def test_the_settings_of_helix_name_the_server():
    text = (REPO / "editors/helix/languages.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    server = settings["language-server"]["pipelang"]
    assert [server["command"], *server["args"]] == ["pipelang", "lsp"]
    (language,) = settings["language"]
    assert language["language-servers"] == ["pipelang"]
    assert language["file-types"] == ["pipe"]


EXTENSION = REPO / "editors/vscode"
ABOUT = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))


def test_the_extension_has_all_that_it_names():
    text = (EXTENSION / "src/extension.js").read_text(encoding="utf-8")
    for command in ABOUT["contributes"]["commands"]:
        assert f'on("{command["command"]}"' in text
    for group in ("grammars", "snippets"):
        for one in ABOUT["contributes"][group]:
            assert (EXTENSION / one["path"]).is_file()
    (language,) = ABOUT["contributes"]["languages"]
    settings = json.loads((EXTENSION / language["configuration"]).read_text(encoding="utf-8"))
    assert settings["comments"]["lineComment"] == "#"
    assert ABOUT["version"] == VERSION


def test_the_ways_to_the_server_are_there():
    """Nothing is on an index: a clone or the wheel, both of which are tried (`make demo`,
    `release/tries.py`).
    """
    texts = [EXTENSION / one for one in ("README.md", "package.json", "src/extension.js")]
    for file in (*texts, REPO / "docs/editors.md"):
        text = " ".join(file.read_text(encoding="utf-8").split())
        assert "pipelang-dsl[" not in text
        assert "pip install -e '.[lsp]'" in text
        assert "wheel" in text
    readme = texts[0].read_text(encoding="utf-8")
    assert f"'pipelang_dsl-{VERSION}-py3-none-any.whl[lsp]'" in readme


def test_commands_of_the_server_are_not_those_of_the_extension():
    """The client registers the server's by itself; VS Code refuses a second one of a name."""
    ours = {command["command"] for command in ABOUT["contributes"]["commands"]}
    assert not ours & {EXPLAIN, REPORT}
    text = (EXTENSION / "src/extension.js").read_text(encoding="utf-8")
    assert f'"{EXPLAIN}"' in text
    assert f'"{REPORT}"' in text


SNIPPETS = json.loads((EXTENSION / "snippets/pipelang.json").read_text(encoding="utf-8"))


DECLARED = """\
use std.tiers
enum Kind { one other }
role staff { people 3 }
tool lookup(id: text max 40 tokens) -> text max 9 tokens { effect read timeout 1s succeeds 99% }
tool refund(id: text max 40 tokens) { effect irreversible timeout 1s succeeds 99% }
prompt prompt_name(question: text max 500 tokens) \"\"\"{{ question }}\"\"\"
provider lab { kind anthropic key "env:KEY" }
memory seen(customer: text max 40 tokens) -> text { keeps 30d }
"""
ITEMS = """\
  step kind: decision Kind = ask prompt_name(question) by haiku
  step reply: text = ask prompt_name(question) by haiku
  let condition: bool = reply != ""
  gate sure: kind.confidence >= 70% else reject
"""
ANSWER = """\
pipeline answer(question: text max 500 tokens) -> text {
  gate sure: question != "" else reject
  step reply: text = ask prompt_name(question) by haiku
  step paid = call refund(question)
  return reply
}
"""


def filled(name: str) -> str:
    """A snippet with what it proposes."""
    body = "\n".join(SNIPPETS[name]["body"])
    text = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", body)
    for _ in range(2):  # a place inside a place
        places: dict[str, str] = dict(re.findall(r"\$\{(\d+):([^{}]*)\}", text))
        for number, proposed in places.items():
            text = re.sub(rf"\$\{{{number}(?::[^{{}}]*)?\}}", lambda _, by=proposed: by, text)
    return re.sub(r"(?<!\\)\$\d+", "", text).replace("\\$", "$")


def without(lines: str, text: str) -> str:
    """Lines of a world but for what a snippet declares itself."""
    own = set(re.findall(r"^\s*\w+ ([\w.]+)", text, re.M))
    kept = [
        line for line in lines.splitlines() if line.split()[1].split("(")[0].rstrip(":") not in own
    ]
    return "\n".join(kept) + "\n"


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_is_a_part_of_a_sound_program(name: str):
    text = filled(name)
    word = text.split()[0]
    if word in DECLARING:
        world = without(DECLARED, text) + ("" if word == "pipeline" else ANSWER)
        program = f"{world}{text}\n"
    else:
        before = {"step": "", "match": ITEMS}.get(word, without(ITEMS, text))
        if word in ("traffic", "watch", "slo", "sample", "quota", "breaker"):
            before = ITEMS
        items = before + text
        program = f"""{DECLARED}pipeline p(
  question: text max 500 tokens, id: text max 40 tokens, customer: text max 40 tokens,
  questions: [text max 500 tokens] max 5
) -> text {{
  budget $1
{items}
  return "a"
}}
"""
    found = look("snippet.pipe", {"snippet.pipe": program})[1]
    errors = [(one["code"], one["message"]) for one in found if one["severity"] == "error"]
    assert not errors, f"{errors}\n{program}"


def test_every_construct_has_a_snippet():
    """Those that hold more than a line."""
    begins = {filled(name).split()[0] for name in SNIPPETS}
    assert set(DECLARING) - begins == {"provider", "fn"}
    assert set(ITEMS_OF_PIPELINES) - begins == {
        *("budget", "permits", "let", "return", "escalate", "reject", "fail")
    }


def test_the_package_is_made_without_a_network(tmp_path: Path):
    """The same files make the same bytes, and all that the manifest names is in it."""
    shutil.copytree(EXTENSION, tmp_path / "vscode", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "vscode/dist").mkdir(exist_ok=True)
    (tmp_path / "vscode/dist/extension.js").write_text("module.exports = {};\n")
    made = []
    for number in range(2):
        out = tmp_path / f"{number}.vsix"
        script = str(tmp_path / "vscode/package_vsix.py")
        subprocess.run([sys.executable, script, str(out)], check=True, timeout=60)
        made.append(out.read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "0.vsix") as zipped:
        names = set(zipped.namelist())
        manifest = zipped.read("extension.vsixmanifest").decode()
    assert {"[Content_Types].xml", "extension/package.json"} <= names
    assert f"extension/{ABOUT['main'].removeprefix('./')}" in names
    assert set(re.findall(r'Path="([^"]*)"', manifest)) <= names
    endings = {f".{name.rpartition('.')[2]}" for name in names}
    with zipfile.ZipFile(tmp_path / "0.vsix") as zipped:
        types = zipped.read("[Content_Types].xml").decode()
    assert endings - {".xml"} <= set(re.findall(r'Extension="([^"]*)"', types))


def test_a_package_that_was_not_built_is_told(tmp_path: Path):
    shutil.copytree(
        EXTENSION, tmp_path / "v", ignore=shutil.ignore_patterns("node_modules", "dist")
    )
    run = subprocess.run(
        [sys.executable, str(tmp_path / "v/package_vsix.py"), str(tmp_path / "out.vsix")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert "npm run build" in run.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_extension_is_javascript():
    source = str(EXTENSION / "src/extension.js")
    subprocess.run(["node", "--check", source], check=True, timeout=60)
