"""The reference servers of the Model Context Protocol, from npm: files, refused paths, sums, and an
operation that takes too long.

They are installed once into a cache outside of the repository (`PIPELANG_NPM`, else
`~/.cache/pipelang-npm`), where npm is at hand and its registry can be reached.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Failed, McpServer, Runtime
from tests.unit.runtime.stage import events, left_over, load

pytest.importorskip("mcp", reason="an extra: pipelang-dsl[mcp]")

SERVERS = ("server-everything", "server-filesystem")
SCOPE = "@modelcontextprotocol"


@cache
def _installed() -> Path | str:
    """The folder of the packages, or why there is none."""
    folder = Path(os.environ.get("PIPELANG_NPM") or Path.home() / ".cache" / "pipelang-npm")
    modules = folder / "node_modules" / SCOPE
    if all((modules / name).is_dir() for name in SERVERS):
        return modules if shutil.which("node") else "node is not installed"
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    folder.mkdir(parents=True, exist_ok=True)
    words = [npm, "install", "--no-audit", "--no-fund", *(f"{SCOPE}/{name}" for name in SERVERS)]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=240, check=False)
    except subprocess.TimeoutExpired:
        return "npm did not install the reference servers within 240 s"
    if done.returncode != 0:
        return "npm cannot install the reference servers here"
    return modules


@pytest.fixture
def modules() -> Path:
    found = _installed()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def play(folder: Path, text: str, server: McpServer, *inputs: dict[str, Any]) -> list[Any]:
    """Runs side by side over one server; fails if they leave a task behind."""
    loaded = load(folder, text)

    async def main() -> list[Any]:
        runtime = Runtime(mcp={"npm": server})
        handle = loaded.pipeline("main", runtime=runtime)
        try:
            return await asyncio.gather(*(handle.run(**given) for given in inputs))
        finally:
            await runtime.close()
            await asyncio.sleep(0)
            assert left_over() == []

    return asyncio.run(main())


def tool(signature: str, name: str, options: str = "") -> str:
    """A pipeline `main` that calls a tool of the server with its inputs."""
    parameters, _, returns = signature.partition(" -> ")
    names = ", ".join(part.partition(":")[0] for part in parameters.split(", "))
    return f"""
    tool use({parameters}) -> {returns} {{
      mcp "npm" "{name}" effect read latency 1ms median succeeds 99% {options}
    }}
    pipeline main({parameters}) -> {returns} {{ step got = call use({names}) return got }}
    """


def everything(modules: Path) -> McpServer:
    return McpServer(command=["node", str(modules / "server-everything/dist/index.js"), "stdio"])


def files(modules: Path, folder: Path) -> McpServer:
    script = modules / "server-filesystem/dist/index.js"
    return McpServer(command=["node", str(script), str(folder)])


def test_echo_and_sums(modules: Path, tmp_path: Path) -> None:
    (echoed,) = play(
        tmp_path, tool("message: text -> text", "echo"), everything(modules), {"message": "hi"}
    )
    assert isinstance(echoed, Answered), echoed
    assert "hi" in echoed.value
    text = tool("a: number, b: number -> text", "get-sum")
    (summed,) = play(tmp_path, text, everything(modules), {"a": 2, "b": 40})
    assert isinstance(summed, Answered), summed
    assert "42" in summed.value


def test_what_was_imported_can_be_called(modules: Path, tmp_path: Path) -> None:
    """`get-structured-content` has an enum with the member "New York"."""
    command = f"node {modules / 'server-everything/dist/index.js'} stdio"
    words = ["import", "mcp", command, "--name", "npm", "-o", str(tmp_path / "all.pipe")]
    done = subprocess.run(
        [sys.executable, "-m", "pipelang", *words], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    declared = (tmp_path / "all.pipe").read_text()
    for name in ("echo", "get-sum", "get-structured-content"):
        assert f'mcp    "npm" "{name}"' in declared
    text = """
    use "all.pipe"
    pipeline main(a: number) -> GetStructuredContentResult {
      step sum = call get_sum(a, 40)
      step got = call get_structured_content(new_york)
      return got
    }
    """
    (weather,) = play(tmp_path, text, everything(modules), {"a": 2})
    assert isinstance(weather, Answered), (weather, events(weather, "failed"))
    assert weather.value.conditions


def test_an_operation_that_takes_too_long_fails_alone(modules: Path, tmp_path: Path) -> None:
    text = tool(
        "duration: number, steps: int -> text", "trigger-long-running-operation", "timeout 3s"
    )
    slow, quick = play(
        tmp_path,
        text,
        everything(modules),
        {"duration": 30, "steps": 3},
        {"duration": 0.1, "steps": 1},
    )
    assert isinstance(slow, Failed)
    assert events(slow, "failed")[0].data["why"] == "timeout"
    assert isinstance(quick, Answered), quick


def test_files_and_refused_paths(modules: Path, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "a.txt").write_text("what is in it")
    (outside / "b.txt").write_text("what nobody may read")
    text = "type Read { content: text }\n" + tool("path: text -> Read", "read_text_file")
    good, refused = play(
        tmp_path,
        text,
        files(modules, inside),
        {"path": str(inside / "a.txt")},
        {"path": str(outside / "b.txt")},
    )
    assert isinstance(good, Answered), (good, events(good, "failed"))
    assert good.value.content == "what is in it"
    assert isinstance(refused, Failed)
    failed = events(refused, "failed")[0]
    assert "Access denied" in f"{failed.data} {failed.content}"
