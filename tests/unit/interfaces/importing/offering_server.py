"""An MCP server over standard input and output whose tools are named and typed as few would."""

from __future__ import annotations

import asyncio
from typing import Any

import mcp.types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


def taking(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), **more}


CITIES = {"type": "string", "enum": ["New York", "Chicago", "Los Angeles"]}
WEATHER = taking(
    {"temperature": {"type": "number"}, "conditions": {"type": "string"}},
    "temperature",
    "conditions",
)
TOOLS = [
    types.Tool(
        name="get-structured-content",
        description="The weather of a city.",
        annotations=types.ToolAnnotations(read_only_hint=True),
        input_schema=taking({"location": CITIES}, "location"),
        output_schema=WEATHER,
    ),
    types.Tool(
        name="find",
        description="Finds.",
        annotations=types.ToolAnnotations(read_only_hint=True),
        input_schema=taking(
            {
                "and": {"type": "string"},
                "most": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                "near": {"type": "string"},
                "options": taking({"sort by": {"type": "string"}, "Limit": {"type": "integer"}}),
            },
            "and",
        ),
    ),
    types.Tool(name="needs", input_schema={"type": "object", "required": ["x"]}),
]


async def tools(ctx: Any, params: Any) -> types.ListToolsResult:
    return types.ListToolsResult(tools=TOOLS)


async def call(ctx: Any, params: Any) -> types.CallToolResult:
    given = params.arguments or {}
    if params.name == "find":
        said = types.TextContent(type="text", text=repr(sorted(given.items())))
        return types.CallToolResult(content=[said])
    weather = {"temperature": 33, "conditions": f"clouds over {given['location']}"}
    return types.CallToolResult(content=[], structured_content=weather)


async def main() -> None:
    server = Server("example/Odd Desk", on_list_tools=tools, on_call_tool=call)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
