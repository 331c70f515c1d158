"""`pipelang mcp`: pipelines as tools of MCP, over standard input and output."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.exit_codes import USAGE
from pipelang.interfaces.cli.options.cache import needless_cache_option
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import warn
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder

if TYPE_CHECKING:
    from pipelang.interfaces.service.service import Service


@click.command(name="mcp", short_help="Offer pipelines as tools of MCP, over standard input.")
@click.argument("files", nargs=-1, required=True)
@click.option("--allow", multiple=True, metavar="CODE", help="Serve in spite of this finding.")
@click.option(
    "--state",
    default=DEFAULT,
    show_default=True,
    help="The folder of the audit log and of what waits for people.",
)
@needless_cache_option
def command(files: tuple[str, ...], allow: tuple[str, ...], state: str) -> None:
    """Offer the pipelines of FILES to a client of MCP that starts this command, until it hangs up.

    What waits for people is in the state folder: `pipelang inbox` lists it, `pipelang approve`
    answers. Exit code 0, 1 if a file has findings, 2 on wrong usage.
    """
    try:
        import mcp  # noqa: F401
    except ImportError as missing:
        stop(
            f"serving tools needs `{missing.name}`, which is not installed",
            USAGE,
            "pip install 'pipelang-dsl[mcp]'",
        )
    from pipelang.interfaces.cli.service.deploying import checked_programs, deployed_in_memory
    from pipelang.interfaces.service.backends.memory import MemoryBackend
    from pipelang.interfaces.service.service import Service
    from pipelang.runtime.inbox.inbox import Inbox
    from pipelang.runtime.shared.kill_switches import FolderSwitches

    programs = checked_programs(files, allow)
    folder = StateFolder(Path(state))
    try:
        folder.prepare()
    except OSError as error:
        stop(f"`{state}` cannot keep the audit log: {error.strerror or error}")
    inbox, switches = Inbox(folder.inbox), FolderSwitches(folder.kills)
    deployed = deployed_in_memory(programs, folder, inbox, switches)
    service = Service(MemoryBackend(inbox, switches), deployed)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(service))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread may still read standard input


async def _serve(service: Service) -> None:
    from mcp.server.stdio import stdio_server

    from pipelang.interfaces.service.mcp_tools import tools_server
    from pipelang.interfaces.service.principals import local_principal

    try:
        who = local_principal(getpass.getuser())
    except (OSError, KeyError, ImportError):
        who = local_principal("local")
    server = tools_server(service, lambda context: who)
    await service.backend.open(service.pipelines, service.metrics)
    try:
        async with stdio_server() as (reading, writing):
            warn(f"serving {', '.join(service.pipelines)} on standard input and output")
            await server.run(reading, writing, server.create_initialization_options())
    finally:
        service.stopping.ask()
        await service.backend.close(2.0)
