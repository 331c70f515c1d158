"""Pipelines as tools of MCP, tried with the official client; and a pipeline that uses another."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

import pipelang
from pipelang.interfaces.service.tokens import TokenFile
from pipelang.runtime.engine.messages import ToolCall
from pipelang.runtime.providers.protocol import ModelAnswer, Usage

from ..unit.runtime.stage import HEAD, Models
from .conftest import People
from .serving import REPO, ThreadServer

Use = Callable[[Client], Awaitable[None]]


def over_http(server: ThreadServer, use: Use, token: str | None = None) -> None:
    async def main() -> None:
        url = f"http://127.0.0.1:{server.port}/mcp"
        if token is None:
            async with Client(url) as client:
                await use(client)
            return
        import httpx2

        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            await use(client)

    asyncio.run(main())


def over_stdio(file: Path, use: Use) -> None:
    async def main() -> None:
        params = StdioServerParameters(
            command=sys.executable,
            args=["-m", "pipelang", "mcp", file.name],
            env={"PYTHONPATH": str(REPO), "PATH": os.environ["PATH"]},
            cwd=str(file.parent),
        )
        async with Client(stdio_client(params)) as client:
            await use(client)

    asyncio.run(main())


async def use_as_tools(client: Client) -> None:
    """What holds of tools, whichever way they are reached."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"say", "rest", "weight", "refund", "opinion"}
    assert tools["say"].description == "Says what it is told."
    assert tools["say"].input_schema["required"] == ["what"]
    assert tools["say"].output_schema is not None
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    done = await client.call_tool("say", {"what": "hello"}, progress_callback=hear)
    assert not done.is_error
    assert done.structured_content is not None
    run = done.structured_content.pop("run_id")
    assert run
    assert done.structured_content == {"outcome": "answered", "value": "hello"}
    assert json.loads(done.content[0].text)["run_id"] == run
    assert [one[0] for one in heard] == sorted({one[0] for one in heard})
    assert all(one[1] == 100.0 for one in heard)

    one, same, other, neither = [
        (await client.call_tool("say", {"what": "x"}, meta=meta)).structured_content["run_id"]
        for meta in (
            {"pipelang/key": "k"},
            {"pipelang/key": "k"},
            {"pipelang/key": "l"},
            {"pipelang/idempotency_key": "k"},
        )
    ]
    assert one == same
    assert len({one, other, neither}) == 3
    conflict = await client.call_tool("say", {"what": "y"}, meta={"pipelang/key": "k"})
    assert conflict.is_error
    assert "key_conflict" in conflict.content[0].text
    for key in ("", "a\x00b", 7, "k" * 256):
        refused = await client.call_tool("say", {"what": "x"}, meta={"pipelang/key": key})
        assert refused.is_error
        assert refused.content[0].text.startswith("bad_key: ")
    for arguments in ({"what": 5}, {}, {"what": "x", "colour": "red"}):
        wrong = await client.call_tool("say", arguments)
        assert wrong.is_error
        assert wrong.content[0].text.startswith("input: ")
    unknown = await client.call_tool("none", {})
    assert unknown.is_error


def test_over_http(open_server: ThreadServer) -> None:
    over_http(open_server, use_as_tools)


def test_over_standard_input(file: Path) -> None:
    over_stdio(file, use_as_tools)


def test_an_escalation_is_a_result_and_no_error(open_server: ThreadServer) -> None:
    caller = open_server.caller()

    async def use(client: Client) -> None:
        calling = asyncio.create_task(client.call_tool("refund", {"amount": 60}))
        find = lambda: caller.get("/v1/cases").json["items"]  # noqa: E731
        found = await asyncio.to_thread(caller.until, find, bool)
        path = f"/v1/cases/{found[0]['id']}/decision"
        await asyncio.to_thread(caller.post, path, {"verdict": "no", "reason": "too much"})
        done = await calling
        assert not done.is_error
        assert done.structured_content is not None
        assert done.structured_content["outcome"] == "escalated"
        assert done.structured_content["role"] == "clerk"
        assert done.structured_content["handoff"]["input"] == {"amount": 60}
        caller.post("/v1/switches", {"action": "kill", "pipeline": "say"})
        try:
            failed = await client.call_tool("say", {"what": "x"})
        finally:
            caller.post("/v1/switches", {"action": "restore", "pipeline": "say"})
        assert failed.is_error
        assert failed.structured_content is not None
        assert failed.structured_content["code"] == "killed"

    over_http(open_server, use)


def test_a_call_that_is_given_up_ends_its_run(open_server: ThreadServer) -> None:
    caller = open_server.caller()

    async def use(client: Client) -> None:
        calling = asyncio.create_task(client.call_tool("rest", {"seconds": 50}))
        find = lambda: caller.get("/v1/runs?pipeline=rest&status=running").json["items"]  # noqa: E731
        [run] = await asyncio.to_thread(caller.until, find, bool)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        ended = await asyncio.to_thread(caller.ended, run["id"])
        assert ended["result"]["code"] == "cancelled"

    over_http(open_server, use)


def test_tokens_hold_for_tools_too(
    guarded_server: ThreadServer, tokens: TokenFile, people: People
) -> None:
    token, _ = tokens.new("mia", ["caller"], "acme")

    async def use(client: Client) -> None:
        done = await client.call_tool("say", {"what": "hello"})
        assert done.structured_content is not None
        run = people.caller.get(f"/v1/runs/{done.structured_content['run_id']}").json
        assert run["tenant"] == "acme"

    over_http(guarded_server, use, token)
    approver, _ = tokens.new("max", ["approver"], "acme")

    async def refused(client: Client) -> None:
        done = await client.call_tool("say", {"what": "hello"})
        assert done.is_error
        assert done.content[0].text.startswith("forbidden: ")

    over_http(guarded_server, refused, approver)
    answer = people.nobody.post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert (answer.status, answer.code) == (401, "no_token")


USER = """\
type Said {
  outcome: text max 20 tokens
  run_id:  text max 20 tokens
  value:   text? max 400 tokens
  role:    text?
  reason:  text?
  text:    text?
  code:    text?
  handoff: json?
}

tool say(what: text) -> Said {
  mcp      "desk" "say"
  effect   read
  timeout  20s
  succeeds 99%
}

## Has another pipeline say it.
pipeline repeat(what: text max 100 tokens) -> text? max 400 tokens {
  step said = call say(what) else fail "nothing said"

  return said.value
}
"""


def test_a_pipeline_uses_another_by_mcp(open_server: ThreadServer, tmp_path: Path) -> None:
    (tmp_path / "user.pipe").write_text(USER, encoding="utf-8")
    server = pipelang.McpServer(url=f"http://127.0.0.1:{open_server.port}/mcp")

    async def main() -> Any:
        runtime = pipelang.Runtime(mcp={"desk": server})
        program = pipelang.load(tmp_path / "user.pipe")
        repeat = program.pipeline("repeat", runtime=runtime)
        await repeat.ready()
        try:
            return await repeat.run(what="over the wire")
        finally:
            await runtime.close()

    result = asyncio.run(main())
    assert isinstance(result, pipelang.Answered), result
    assert result.value == "over the wire"


AGENT = (
    HEAD
    + USER[: USER.index("tool say")]
    + """
tool desk(what: text) -> Said {
  mcp      "desk" "say"
  effect   read
  timeout  20s
  succeeds 99%
}

pipeline asked(x: text) -> text {
  step found: text = agent say(x) by small with desk {
    steps  3
    output 90 tokens max
  } else "gave up"

  return found
}
"""
)


def test_an_agent_uses_a_pipeline_by_mcp(open_server: ThreadServer, tmp_path: Path) -> None:
    (tmp_path / "agent.pipe").write_text(AGENT, encoding="utf-8")
    server = pipelang.McpServer(url=f"http://127.0.0.1:{open_server.port}/mcp")
    call = ToolCall("1", "desk", {"what": "from an agent"})
    models = Models(
        found=[ModelAnswer(None, Usage(10, 5), "s", calls=(call,), said="raw"), "it was said"]
    )

    async def main() -> Any:
        runtime = pipelang.Runtime(mcp={"desk": server}, providers={"lab": models})
        program = pipelang.load(tmp_path / "agent.pipe")
        try:
            return await program.pipeline("asked", runtime=runtime).run(x="hello")
        finally:
            await runtime.close()

    result = asyncio.run(main())
    assert isinstance(result, pipelang.Answered), result
    assert result.value == "it was said"
    turns = [event for event in result.trace if event.kind == "result"]
    assert len(turns) == 1
    run = open_server.caller().get("/v1/runs?pipeline=say&limit=1").json["items"][0]
    assert run["result"] == {"value": "from an agent"}
    assert "from an agent" in str(models.requests[-1].turns[0].results)


def test_a_call_tells_nothing_to_a_token_that_was_revoked_meanwhile(
    guarded_server: ThreadServer, tokens: TokenFile
) -> None:
    token, made = tokens.new("ada", ("caller",), "acme")

    async def use(client: Client) -> None:
        calling = asyncio.ensure_future(client.call_tool("rest", {"seconds": 1.5}))
        await asyncio.sleep(0.7)
        tokens.revoke(made.id)
        told = await calling
        assert told.is_error
        assert told.content[0].text.startswith("bad_token: ")
        assert told.structured_content is None

    over_http(guarded_server, use, token)
