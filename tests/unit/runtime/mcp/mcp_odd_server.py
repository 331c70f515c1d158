"""A server over standard input and output that does what it is told to, wrong things among them.

`FOLDER/starts` has a line for each start; while `FOLDER/mended` is there, `save` is as declared.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import mcp.types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

FOLDER = Path(sys.argv[1])
TEXT = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


async def tools(ctx: Any, params: Any) -> types.ListToolsResult:
    name = "q" if (FOLDER / "mended").exists() else "other"
    taken = {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}
    if name == "other":
        taken["additionalProperties"] = False
    return types.ListToolsResult(
        tools=[types.Tool(name="save", input_schema=taken, output_schema=TEXT)]
    )


async def call(ctx: Any, params: Any) -> types.CallToolResult:
    told = params.arguments["q"]
    if told == "hang":
        time.sleep(60)  # noqa: ASYNC251  (the whole server hangs, as if it waited for a lock)
    if told == "loud":
        print("the disk is nearly full", file=sys.stderr, flush=True)
    await asyncio.sleep(0.5 if told == "slow" else 0)
    answer: Any = 5 if told == "bad" else told
    if told == "large":
        answer = "x" * (12 * 2**20)
    return types.CallToolResult(content=[], structured_content={"answer": answer})


async def main() -> None:
    with (FOLDER / "starts").open("a") as starts:
        starts.write("start\n")
    server = Server("odd", on_list_tools=tools, on_call_tool=call)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


asyncio.run(main())
