"""What `pipelang run` plugs into a runtime besides models and people: the kill switches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelang.interfaces.state import StateFolder

if TYPE_CHECKING:
    from pipelang.interfaces.running import Setup


def plug(setup: Setup, state: str) -> None:
    """Have runs look at the switches of a state folder."""
    from pipelang.runtime.switches import FolderSwitches

    setup.runtime.switches = FolderSwitches(StateFolder(Path(state)).kills)
