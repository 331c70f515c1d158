"""`pipelang import`: declarations out of what others publish."""

from __future__ import annotations

import asyncio

import click

from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.cli.programs import deliver, stop
from pipelang.interfaces.cli.terminal import warn


@click.group(name="import", short_help="Write declarations of what others offer.")
def command() -> None:
    """Write declarations of what others offer, to be reviewed."""


@command.command(name="mcp", short_help="The tools of an MCP server.")
@click.argument("server")
@click.option("--tool", "only", metavar="NAME", multiple=True, help="Only this tool; repeatable.")
@click.option("--name", metavar="NAME", help="What declarations call the server.")
@click.option("-o", "--output", "out", metavar="OUT", help="A file instead of standard output.")
def mcp(server: str, only: tuple[str, ...], name: str | None, out: str | None) -> None:
    """Write `tool`, `type` and `enum` declarations of the tools of SERVER.

    SERVER is a name in `[tool.pipelang.mcp.NAME]` of the nearest pyproject.toml, the http URL of a
    server, or a command in quotes that starts one. The effect of each tool is what its annotations
    say, and the worst where they say nothing; each is to be reviewed.

    Exit code 1 if a tool had to be left out, which a comment explains; 2 if there is no such server
    or tool.
    """
    from importlib.util import find_spec

    from pipelang.interfaces.runs.mcp_servers import BadConfig, servers_of

    if find_spec("mcp") is None:
        stop("the package `mcp` is not installed", help="pip install 'pipelang-dsl[mcp]'")
    from pipelang.interfaces.importing.mcp_declarations import declarations
    from pipelang.interfaces.importing.mcp_tools import NoServer, Unreachable, server_of, tools_of
    from pipelang.runtime.engine.secrets import SecretMissing

    try:
        target = server_of(server, name, servers_of("import.pipe"))
        called, offered = asyncio.run(tools_of(target))
    except BadConfig as wrong:
        stop(str(wrong))
    except NoServer as none:
        stop(str(none), help=none.help)
    except (Unreachable, SecretMissing) as away:
        stop(str(away))
    known = [tool.name for tool in offered]
    for wanted in only:
        if wanted not in known:
            close = closest(wanted, known)
            hint = f"did you mean `{close}`?" if close else f"there are: {', '.join(known)}"
            stop(f"MCP server `{called}` has no tool `{wanted}`", help=hint)
    chosen = [tool for tool in offered if not only or tool.name in only]
    made = declarations(called, chosen)
    deliver(made.text, out, makes=".pipe")
    for tool, why in made.left_out:
        warn(f"`{tool}` is left out: {why}")
    if not target.declared:
        warn(f"declare the server for `pipelang run`: `[tool.pipelang.mcp.{called}]`")
    if made.left_out:
        raise SystemExit(1)
