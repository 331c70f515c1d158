"""A server of the SDK whose tools are those that `FOLDER/tools` names; a call of `tell` publishes
that they changed to whoever listens.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import mcp.types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged

FOLDER = Path(sys.argv[1])
TEXTS = {"type": "array", "items": {"type": "string"}}
LISTED = {"type": "object", "properties": {"result": TEXTS}}
BUS = InMemorySubscriptionBus()


async def tools(ctx: Any, params: Any) -> types.ListToolsResult:
    taken = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    names = (FOLDER / "tools").read_text(encoding="utf-8").split()
    return types.ListToolsResult(
        tools=[
            types.Tool(
                name=name, input_schema=taken, output_schema=LISTED if name == "list" else None
            )
            for name in names
        ]
    )


async def call(ctx: Any, params: Any) -> types.CallToolResult:
    if params.arguments["q"] == "tell":
        await BUS.publish(ToolsListChanged())
    if params.name == "list":
        return types.CallToolResult(content=[], structured_content={"result": ["a"]})
    return types.CallToolResult(content=[types.TextContent(type="text", text="said")])


async def main() -> None:
    server = Server(
        "changing",
        on_list_tools=tools,
        on_call_tool=call,
        on_subscriptions_listen=ListenHandler(BUS),
    )
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


asyncio.run(main())
