"""Applies settings to a program for `pipelang run`, and plugs in kill switches and MCP servers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import warn

if TYPE_CHECKING:
    from pipelang.interfaces.runs.provider_choice import ProviderChoice
    from pipelang.interfaces.runs.state_folder import StateFolder
    from pipelang.runtime.host.handle import Handle, LoadedProgram


def as_set(loaded: LoadedProgram, settings: tuple[str, ...]) -> LoadedProgram:
    """The program, set as `--set NAME=VALUE` says; ends the command if one is wrong."""
    if not settings:
        return loaded
    from pipelang.interfaces.runs.settings import read_settings
    from pipelang.runtime.host.handle import SettingError

    try:
        return loaded.with_settings(read_settings(loaded.program, settings))
    except SettingError as error:
        stop(f"--set: {error}", 2)


def plug(setup: ProviderChoice, file: str, state: StateFolder) -> None:
    """Have runs look at the switches of a state folder, and tell them where MCP servers are; ends
    the command if that cannot be read.
    """
    from pipelang.interfaces.runs.mcp_servers import BadConfig, servers_of
    from pipelang.runtime.shared.kill_switches import FolderSwitches

    setup.runtime.switches = FolderSwitches(state.kills)
    try:
        setup.runtime.mcp = servers_of(file)
    except BadConfig as wrong:
        warn(str(wrong))
        sys.exit(2)


def ready(handle: Handle, setup: ProviderChoice) -> None:
    """Compare the tools of MCP servers with their declarations; ends the command if they differ or
    cannot be reached.
    """
    import asyncio

    from pipelang.runtime.tools.binding import ToolMissing

    async def compare() -> None:
        try:
            await handle.ready()
        finally:
            await setup.runtime.close()

    if not setup.runtime.mcp:
        return
    try:
        asyncio.run(compare())
    except ToolMissing as missing:
        stop(str(missing), 1, missing.help)
