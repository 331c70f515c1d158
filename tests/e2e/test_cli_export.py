"""`pipelang compile` and `pipelang graph` as people and CI call them: the real command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import pipelang

from ..warm import command

REPO = Path(__file__).resolve().parents[2]
SUPPORT = REPO / "examples" / "support" / "support.pipe"

SMALL = """\
use std.tiers

type Greeting { body: text max 60 tokens }

prompt greet(name: text max 20 tokens) \"\"\"Greet {{ name }}.\"\"\"

pipeline welcome(name: text max 20 tokens) -> Greeting {
  step greeting: Greeting = ask greet(name) by haiku { accuracy 95% timeout 10s }
    else fail "no greeting"

  return greeting
}

pipeline answer() -> int { return 42 }
"""
RUNS = """\
pipeline inner(x: text max 9 tokens) -> text max 9 tokens { return x }
pipeline outer(x: text max 9 tokens) -> text max 9 tokens { step y = run inner(x)  return y }
pipeline long(xs: [text max 9 tokens] max 999) -> int {
  step ys = each x in xs { run inner(x) }
  return len(ys)
}
"""
BROKEN = SMALL.replace("return greeting", "retrun greeting")


def run(
    *arguments: str | Path, cwd: Path, seed: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    if seed is not None:
        plain["PYTHONHASHSEED"] = seed
    return command(*arguments, cwd=cwd, env={**plain, "COLUMNS": "100"})


def out(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode("utf-8")


def err(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode("utf-8").replace("\r\n", "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "small.pipe": SMALL,
        "broken.pipe": BROKEN,
        "empty.pipe": "",
        "runs.pipe": RUNS,
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["compile", "small.pipe", "--to", "ir"], 0),
        (["compile", "small.pipe", "welcome", "--to", "ir", "--spans"], 0),
        (["compile", "small.pipe", "--to", "jsonschema"], 0),
        (["compile", "small.pipe", "--to", "pyi"], 0),
        (["compile", "empty.pipe", "--to", "ir"], 0),
        (["compile", "empty.pipe", "--to", "pyi"], 0),
        (["compile", "small.pipe", "welcome", "--to", "prism"], 0),
        (["compile", "small.pipe", "--pipeline", "welcome", "--to", "prism"], 0),
        (["compile", "small.pipe", "--to", "prism"], 2),  # two pipelines: which one?
        (["compile", "small.pipe", "welcome", "--pipeline", "answer", "--to", "prism"], 2),
        (["compile", "runs.pipe", "outer", "--to", "prism"], 0),
        (
            ["compile", "runs.pipe", "long", "--to", "prism"],
            2,
        ),  # a length of which nothing is known
        (["compile", "small.pipe"], 2),
        (["compile", "small.pipe", "--to", "wasm"], 2),
        (["compile", "small.pipe", "--to", "pyi", "--spans"], 2),
        (["compile", "small.pipe", "nobody", "--to", "ir"], 2),
        (["compile", "absent.pipe", "--to", "ir"], 2),
        (["compile", ".", "--to", "ir"], 2),
        (["compile", "broken.pipe", "--to", "ir"], 1),
        (["compile", "small.pipe", "--to", "ir", "-o", "no/such/folder"], 2),
        (["graph", "small.pipe"], 0),
        (["graph", "small.pipe", "welcome", "--format", "svg"], 0),
        (["graph", "small.pipe", "--format", "png"], 2),
        (["graph", "small.pipe", "nobody"], 2),
        (["graph", "empty.pipe"], 2),
        (["graph", "absent.pipe"], 2),
        (["graph", "broken.pipe"], 1),
        (["graph", "broken.pipe", "--format", "svg", "-o", "x.svg"], 1),
    ],
)
def test_exit_codes(folder: Path, arguments: list[str], code: int):
    done = run(*arguments, cwd=folder)
    assert done.returncode == code, out(done) + err(done)
    assert "Traceback" not in err(done)
    if code:
        assert out(done) == ""
        assert err(done) != ""
        assert not (folder / "x.svg").exists()


@pytest.mark.parametrize("command", [["compile", "--to", "ir"], ["graph"]])
def test_errors_are_shown_with_their_line(folder: Path, command: list[str]):
    said = err(run(*command, "broken.pipe", cwd=folder))
    assert said.startswith("error[P101]: ")
    assert "--> broken.pipe:11:3" in said
    assert "retrun greeting" in said


def test_the_nearest_pipeline_is_named(folder: Path):
    said = err(run("graph", "small.pipe", "welcom", cwd=folder))
    assert "`small.pipe` has no pipeline `welcom`" in said
    assert "help: did you mean `welcome`?" in said


@pytest.mark.parametrize("target", ["ir", "jsonschema", "pyi"])
def test_output_goes_to_a_file_as_it_goes_to_the_screen(folder: Path, target: str):
    shown = run("compile", "small.pipe", "--to", target, cwd=folder)
    quiet = run("compile", "small.pipe", "--to", target, "-o", "made", cwd=folder)
    assert out(quiet) == err(quiet) == err(shown) == ""
    assert (folder / "made").read_bytes() == shown.stdout.replace(b"\r\n", b"\n")
    dashed = run("compile", "small.pipe", "--to", target, "-o", "-", cwd=folder)
    assert dashed.stdout == shown.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["compile", "--to", "ir", "--spans"],
        ["compile", "--to", "jsonschema"],
        ["compile", "--to", "pyi"],
        ["graph", "--format", "svg"],
        ["graph", "--format", "dot"],
        ["graph", "--format", "mermaid"],
        ["graph", "--format", "graphml"],
        ["graph", "--format", "json"],
    ],
    ids=" ".join,
)
def test_every_process_writes_the_same(folder: Path, arguments: list[str]):
    """Also where sets and dicts of other processes have another order."""
    one, other = (run(*arguments, SUPPORT, cwd=folder, seed=seed) for seed in ("1", "2"))
    assert one.returncode == 0, err(one)
    assert one.stdout == other.stdout


def test_the_hash_stays_under_fmt_and_moves_with_the_meaning(folder: Path):
    def compiled() -> dict[str, object]:
        found: dict[str, object] = json.loads(
            out(run("compile", "small.pipe", "--to", "ir", cwd=folder))
        )
        return found

    path = folder / "small.pipe"
    crooked = SMALL.replace("  step", "# Says hello.\n       step").replace(") ->", ")\t->")
    path.write_text(crooked, encoding="utf-8")
    before = compiled()
    assert run("fmt", "small.pipe", cwd=folder).returncode == 0
    assert path.read_text(encoding="utf-8") != crooked
    assert compiled() == before
    path.write_text(SMALL, encoding="utf-8", newline="\r\n")
    assert compiled() == before
    path.write_text(SMALL.replace("95%", "96%"), encoding="utf-8")
    assert compiled()["hash"] != before["hash"]


def test_the_default_is_a_drawing_in_text(folder: Path):
    text = out(run("graph", SUPPORT, "handle_ticket", cwd=folder))
    assert text.startswith("● handle_ticket  (ticket: Ticket) → Reply")
    assert "│   redo once ─▶ reply" in text
    assert "learn_from" not in text
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "\x1b" not in text


def test_a_picture_of_the_support_desk(folder: Path):
    run("graph", SUPPORT, "--format", "svg", "-o", "support.svg", cwd=folder)
    root = ElementTree.parse(folder / "support.svg").getroot()
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"handle_ticket", "learn_from", "gate standard", "region", "answered"} <= set(words)


def test_the_graph_in_files_is_that_of_the_library(folder: Path):
    import networkx as nx  # a quarter of a second, which each process would take to collect this

    graph = pipelang.graph(pipelang.load(SUPPORT), "handle_ticket")
    arguments = ("graph", SUPPORT, "handle_ticket", "--format")
    data = json.loads(out(run(*arguments, "json", cwd=folder)))
    run(*arguments, "graphml", "-o", "support.graphml", cwd=folder)
    found = {
        "json": nx.node_link_graph(data, edges="edges"),
        "graphml": nx.read_graphml(folder / "support.graphml"),
    }
    for form, read in found.items():
        assert list(read) == list(graph), form
        assert set(read.edges(data="kind")) == set(graph.edges(data="kind")), form
        for id, node in read.nodes(data=True):
            assert node.pop("line") > 0
            assert node.pop("column") > 0
            kept = {key: value for key, value in graph.nodes[id].items() if value != ""}
            assert {key: value for key, value in node.items() if value != ""} == kept, form


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "small.pipe", "--format", "json"],
        ["run", "small.pipe", "answer", "--provider", "simulated"],
    ],
)
def test_networkx_is_loaded_by_graphs_only(folder: Path, arguments: list[str]):
    code = (
        "import sys\nfrom pipelang.interfaces.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "sys.exit(9 if 'networkx' in sys.modules else 0)"
    )

    def exit_code(*words: str) -> int:
        environment = {**os.environ, "PYTHONPATH": str(REPO), "PIPELANG_NO_CACHE": "1"}
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=60
        ).returncode

    assert exit_code(*arguments) == 0
    assert exit_code("graph", "small.pipe") == 9


def test_the_schema_of_one_pipeline_takes_its_inputs(folder: Path):
    from jsonschema import Draft202012Validator

    schema = json.loads(
        out(run("compile", SUPPORT, "handle_ticket", "--to", "jsonschema", cwd=folder))
    )
    validator = Draft202012Validator(schema)
    lines = (SUPPORT.parent / "data" / "tickets.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        validator.validate(json.loads(line))
    assert not validator.is_valid({"ticket": {"id": 1}})


def test_nothing_is_imported_and_nothing_is_run(folder: Path):
    """A file that names a module which would fail is compiled all the same."""
    (folder / "boom.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    tool = 'tool bang() -> int { python "boom:bang" effect read }\n'
    text = f"{tool}pipeline p() -> int {{ step x = call bang() return x }}\n"
    (folder / "boom.pipe").write_text(text, encoding="utf-8")
    for arguments in (["compile", "--to", "ir"], ["graph"]):
        done = run(*arguments, "boom.pipe", cwd=folder)
        assert done.returncode == 0, err(done)
