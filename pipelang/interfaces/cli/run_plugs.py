"""What `pipelang run` changes of a program and plugs into a runtime: settings, kill switches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelang.interfaces.state import StateFolder

if TYPE_CHECKING:
    from pipelang.interfaces.running import Setup
    from pipelang.runtime.embedding import LoadedProgram


def as_set(loaded: LoadedProgram, settings: tuple[str, ...]) -> LoadedProgram:
    """The program, set as `--set NAME=VALUE` says; ends the command if one is wrong."""
    if not settings:
        return loaded
    from pipelang.interfaces.cli.run import stop
    from pipelang.interfaces.settings import read_settings
    from pipelang.runtime.embedding import SettingError

    try:
        return loaded.with_settings(read_settings(loaded.program, settings))
    except SettingError as error:
        stop(f"--set: {error}", 2)


def plug(setup: Setup, state: str) -> None:
    """Have runs look at the switches of a state folder."""
    from pipelang.runtime.switches import FolderSwitches

    setup.runtime.switches = FolderSwitches(StateFolder(Path(state)).kills)
