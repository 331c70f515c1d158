"""Tools behind MCP servers: in this process, over standard input and output, over HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest

import pipelang
from pipelang import Answered, Failed, McpServer, Runtime, ToolDrift, ToolMissing

from ..stage import left_over, load

pytest.importorskip("mcp", reason="an extra: pipelang-dsl[mcp]")

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context, MCPServer

STDIO = Path(__file__).with_name("mcp_stdio_server.py")


class Part(pydantic.BaseModel):
    name: str
    share: float


def desk(seen: list[Any] | None = None) -> MCPServer:
    """A server with a tool of every kind of result."""
    server = MCPServer("desk", log_level="CRITICAL")

    @server.tool()
    def add(a: int, b: int = 1) -> int:
        return a + b

    @server.tool()
    def words(text: str) -> list[str]:
        return text.split()

    @server.tool()
    def part(name: str) -> Part:
        return Part(name=name, share=0.7)

    @server.tool()
    def table(name: str | None = None) -> dict[str, int]:
        return {name or "nothing": 1}

    @server.tool(structured_output=False)
    def plain(json: str) -> str:
        return json

    @server.tool()
    def fails(a: int) -> int:
        raise ValueError("secret detail")

    @server.tool()
    async def slow(a: int) -> int:
        await asyncio.sleep(30)
        return a

    @server.tool()
    def noted(a: int, ctx: Context) -> int:
        if seen is not None:
            seen.append(dict(ctx.request_context.meta or {}).get("pipelang/idempotency_key"))
            if len(seen) == 1:
                raise ValueError("not yet")
        return a

    return server


def program(
    folder: Path, signature: str, name: str, options: str = "", effect: str = "read"
) -> Any:
    """A pipeline `main` that calls a tool of the server `desk` with the pipeline's input."""
    parameters, _, returns = signature.partition(" -> ")
    names = ", ".join(part.partition(":")[0] for part in parameters.split(", ") if part)
    text = f"""
    type Part {{ name: text  share: probability }}
    enum Colour {{ red blue }}
    tool use({parameters}) -> {returns} {{
      mcp "desk" "{name}" effect {effect} latency 1ms median succeeds 99% {options}
    }}
    pipeline main({parameters}) -> {returns} {{ step got = call use({names}) return got }}
    """
    return load(folder, text)


def play(loaded: Any, server: McpServer, **inputs: Any) -> Any:
    """One run; fails if it leaves a task behind once the runtime is closed."""

    async def main() -> Any:
        runtime = Runtime(mcp={"desk": server})
        try:
            return await loaded.pipeline("main", runtime=runtime).run(**inputs)
        finally:
            await runtime.close()
            await asyncio.sleep(0)
            assert left_over() == []

    return asyncio.run(main())


def inside(seen: list[Any] | None = None) -> McpServer:
    return McpServer(server=desk(seen))


@pytest.mark.parametrize(
    ("signature", "name", "inputs", "value"),
    [
        ("a: int, b: int -> int", "add", {"a": 2, "b": 3}, 5),
        ("a: int -> int", "add", {"a": 2}, 3),
        ("text: text -> [text] max 5", "words", {"text": "a b"}, ["a", "b"]),
        ("name: text -> {text: int} max 5", "table", {"name": "x"}, {"x": 1}),
        ("name: text? -> {text: int} max 5", "table", {"name": None}, {"nothing": 1}),
        ("json: text -> text", "plain", {"json": "[1]"}, "[1]"),
        ("json: text -> [int] max 5", "plain", {"json": "[1, 2]"}, [1, 2]),
        ("json: text -> Colour", "plain", {"json": '"red"'}, "red"),
        ("json: text -> json", "plain", {"json": '{"a": [1]}'}, {"a": [1]}),
    ],
)
def test_results_are_of_their_types(
    tmp_path: Path, signature: str, name: str, inputs: Any, value: Any
) -> None:
    result = play(program(tmp_path, signature, name), inside(), **inputs)
    assert isinstance(result, Answered), result
    assert result.value == value


def test_a_record(tmp_path: Path) -> None:
    result = play(program(tmp_path, "name: text -> Part", "part"), inside(), name="x")
    assert isinstance(result, Answered)
    assert result.value.name == "x"
    assert str(result.value.share) == "0.7"


@pytest.mark.parametrize(
    ("signature", "name", "inputs", "why", "says"),
    [
        ("json: text -> int", "plain", {"json": "many"}, "misfit", "a text that is no JSON"),
        ("json: text -> Colour", "plain", {"json": '"green"'}, "misfit", "red"),
        ("a: int -> int", "fails", {"a": 1}, "raised", "Error executing tool fails"),
    ],
)
def test_what_does_not_come_fails_its_attempt(
    tmp_path: Path, signature: str, name: str, inputs: Any, why: str, says: str
) -> None:
    result = play(program(tmp_path, signature, name), inside(), **inputs)
    assert isinstance(result, Failed)
    (failed,) = [event for event in result.trace if event.kind == "failed"]
    assert failed.data["why"] == why
    assert says in (failed.content or failed.data["message"])
    assert "secret detail" not in str(result)


def test_a_call_that_takes_too_long(tmp_path: Path) -> None:
    began = time.monotonic()
    result = play(program(tmp_path, "a: int -> int", "slow", "timeout 200ms"), inside(), a=1)
    assert isinstance(result, Failed)
    assert [e.data["why"] for e in result.trace if e.kind == "failed"] == ["timeout"]
    assert time.monotonic() - began < 25  # the tool takes 30


def test_both_attempts_of_a_call_carry_one_key(tmp_path: Path) -> None:
    seen: list[Any] = []
    loaded = program(tmp_path, "a: int -> int", "noted", "retry 1", "write")
    result = play(loaded, inside(seen), a=1)
    assert isinstance(result, Answered)
    assert seen == [f"{result.run_id}/got/0"] * 2


# -------------------------------------------------------------------------------------- drift


@pytest.mark.parametrize(
    ("signature", "name", "lines"),
    [
        ("a: int, c: int -> int", "add", ["- c: int  (it has no such parameter)"]),
        ("b: int -> int", "add", ["+ a: integer  (it needs this, and it is not declared)"]),
        ("a: text -> int", "add", ["~ a: text  (`a` expected integer, found string)"]),
        ("a: number -> int", "add", ["~ a: number  (`a` expected integer, found number)"]),
        ("a: int -> text", "add", ["~ -> text  (expected string, found integer)"]),
        (
            "text: text -> [int] max 5",
            "words",
            ["~ -> [int]  (`[]` expected integer, found string)"],
        ),
        ("name: text -> Part?", "part", []),
        ("a: int -> number", "add", []),
        ("name: text -> [Part] max 5", "part", ["~ -> [Part]  (expected array, found object)"]),
        ("a: int -> int", "ad", ["has no tool `ad`; did you mean `add`?"]),
    ],
)
def test_a_drift_is_shown_before_anything_runs(
    tmp_path: Path, signature: str, name: str, lines: list[str]
) -> None:
    loaded = program(tmp_path, signature, name)
    values = {"text": "a", "int": 1, "number": 1.5, "text?": "a"}
    parameters = signature.partition(" -> ")[0].split(", ")
    inputs = {p.partition(": ")[0]: values[p.partition(": ")[2]] for p in parameters}
    if not lines:
        assert isinstance(play(loaded, inside(), **inputs), Answered)
        return
    with pytest.raises(ToolDrift) as error:
        play(loaded, inside(), **inputs)
    for line in lines:
        assert line in str(error.value)


def test_a_schema_of_true_is_one_that_takes_anything(tmp_path: Path) -> None:
    """Some frameworks write `true` for a value of any type, at any level of a schema."""
    parts = {"type": "object", "properties": {"deep": True}}
    takes = {"type": "object", "properties": {"q": True, "parts": parts}, "required": ["q"]}
    gives = {"type": "object", "properties": {"answer": True, "rest": {"items": True}}}

    async def tools(ctx: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[types.Tool(name="save", input_schema=takes, output_schema=gives)]
        )

    async def call(ctx: Any, params: Any) -> types.CallToolResult:
        told = {"answer": params.arguments["q"], "rest": list(params.arguments)}
        return types.CallToolResult(content=[], structured_content=told)

    loaded = load(
        tmp_path,
        """
        type Parts { deep: int? }
        type Saved { answer: int rest: [text] max 3 }
        tool save(q: int, parts: Parts?) -> Saved {
          mcp "desk" "save" effect read latency 1ms median succeeds 99%
        }
        pipeline main(q: int) -> Saved { step got = call save(q, {deep: none}) return got }
        """,
    )
    server = McpServer(server=Server("desk", on_list_tools=tools, on_call_tool=call))
    outcome = play(loaded, server, q=3)
    assert isinstance(outcome, Answered), outcome
    assert outcome.value.answer == 3


def test_a_server_that_nobody_declared_is_told_at_once(tmp_path: Path) -> None:
    loaded = program(tmp_path, "a: int -> int", "add")
    with pytest.raises(ToolMissing) as error:
        loaded.pipeline("main", runtime=Runtime(mcp={"other": inside()}))
    assert "no MCP server `desk`" in str(error.value)
    assert "[tool.pipelang.mcp.desk]" in (error.value.help or "")
    assert "other" in (error.value.help or "")


def test_what_a_server_is() -> None:
    for wrong in ({}, {"url": "http://x", "command": ["y"]}):
        with pytest.raises(ValueError, match="exactly one"):
            McpServer(**wrong)
    with pytest.raises(TypeError, match="list of words"):
        McpServer(command="python server.py")


# -------------------------------------------------------------------------------------- stdio


def stdio(folder: Path, **options: Any) -> McpServer:
    return McpServer(command=[sys.executable, str(STDIO), str(folder)], **options)


def alive(folder: Path) -> list[int]:
    pids = [int(file.stem) for file in folder.glob("*.pid")]
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_server_of_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_TOKEN", "hush")
    server = stdio(tmp_path, env={"DESK_TOKEN": "env:HOST_TOKEN"})
    assert play(program(tmp_path, "a: int -> int", "add"), server, a=2).value == 3
    text = """
    tool use() -> text { mcp "desk" "token" effect read latency 1ms median succeeds 99% }
    pipeline main() -> text { step a = call use() return a }"""
    assert play(load(tmp_path, text), server).value == "hush"
    assert alive(tmp_path) == []


def test_a_session_serves_many_runs_and_comes_back_after_a_crash(tmp_path: Path) -> None:
    loaded = program(tmp_path, "a: int -> int", "crash", "retry 1")

    async def main() -> Any:
        runtime = Runtime(mcp={"desk": stdio(tmp_path)})
        ready = loaded.pipeline("main", runtime=runtime)
        await ready.ready()
        first = await asyncio.wait_for(ready.run(a=1), 30)
        more = await asyncio.gather(*(ready.run(a=n) for n in range(20)))
        await runtime.close()
        return first, more

    first, more = asyncio.run(main())
    assert isinstance(first, Answered), first
    (failed,) = [event for event in first.trace if event.kind == "failed"]
    assert "MCP server `desk`" in failed.data["message"]
    assert [result.value for result in more] == list(range(20))
    pids = list(tmp_path.glob("*.pid"))
    assert len(pids) == 2, "one process, and one more after the crash"
    assert alive(tmp_path) == []


@pytest.mark.parametrize("command", [["no-such-program-here"], [sys.executable, "-c", "1/0"]])
def test_a_server_that_does_not_start(tmp_path: Path, command: list[str]) -> None:
    loaded = program(tmp_path, "a: int -> int", "add")
    server = McpServer(command=command)
    result = play(loaded, server, a=1)
    assert isinstance(result, Failed), "a run leaves it to its steps"
    assert "MCP server `desk`" in str(result.trace)

    async def main() -> None:
        runtime = Runtime(mcp={"desk": server})
        try:
            await loaded.pipeline("main", runtime=runtime).ready()
        finally:
            await runtime.close()

    with pytest.raises(ToolMissing, match="MCP server `desk`"):
        asyncio.run(main())


def test_scripts_leave_no_process_behind(tmp_path: Path) -> None:
    ready = program(tmp_path, "a: int -> int", "add").pipeline(
        "main", runtime=Runtime(mcp={"desk": stdio(tmp_path)})
    )
    assert [ready.run_sync(a=n).value for n in range(2)] == [1, 2]
    assert alive(tmp_path) == []


# --------------------------------------------------------------------------------------- http


@pytest.fixture
def url() -> Iterator[str]:
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = desk().streamable_http_app()
    config = uvicorn.Config(
        app, "127.0.0.1", port, log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/mcp"
    server.should_exit = True
    thread.join(10)


def test_a_server_over_http(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_TOKEN", "hush")
    loaded = program(tmp_path, "a: int -> int", "add")
    assert play(loaded, McpServer(url=url), a=2).value == 3
    server = McpServer(url=url, headers={"Authorization": "Bearer env:HOST_TOKEN"})
    assert play(loaded, server, a=2).value == 3
    gone = McpServer(url=url.replace("/mcp", "/nothing"))
    assert isinstance(play(loaded, gone, a=2), Failed)


# ---------------------------------------------------------------------------------- the command


def test_the_command_finds_servers_in_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pipes").mkdir()
    program(tmp_path / "pipes", "a: int -> int", "add")
    words = f'["{sys.executable}", "{STDIO}", "."]'

    def run() -> subprocess.CompletedProcess[str]:
        line = ["run", "pipes/main.pipe", "main", "--input", '{"a": 1}', "--format", "json"]
        return subprocess.run(
            [sys.executable, "-m", "pipelang", *line],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(pipelang.__file__).parents[1])},
            capture_output=True,
            text=True,
            timeout=60,
        )

    missing = run()
    assert missing.returncode == 1
    assert "there is no MCP server `desk`" in missing.stderr
    project = tmp_path / "pyproject.toml"
    project.write_text(f"[tool.pipelang.mcp.desk]\ncommand = {words}\n")
    done = run()
    assert done.returncode == 0, done.stderr
    assert '"value": 2' in done.stdout
    assert alive(tmp_path) == []
    program(tmp_path / "pipes", "a: text -> int", "add")
    drift = run()
    assert drift.returncode == 1
    assert "~ a: text  (`a` expected integer, found string)" in drift.stderr
    project.write_text(f"[tool.pipelang.mcp.desk]\ncomand = {words}\n")
    wrong = run()
    assert wrong.returncode == 2
    assert "there is no key `comand`" in wrong.stderr
    assert "Traceback" not in drift.stderr + wrong.stderr + missing.stderr
