"""Settings of a check, from a line of `pipelang check`: the same for every form of its output."""

from __future__ import annotations

from pipelang.interfaces.check.assumptions import assumptions
from pipelang.interfaces.check.profiles.config import CheckSettings
from pipelang.interfaces.check.stand_ins import stand_ins
from pipelang.interfaces.cli.check.command_line import CheckLine
from pipelang.interfaces.cli.exit_codes import USAGE


def read_settings_of(line: CheckLine) -> CheckSettings | str:
    """The settings of a line; what is wrong where something is."""
    assumed = assumptions(line.assume)
    if isinstance(assumed, str):
        return f"--assume: {assumed}"
    tiers = stand_ins(line.tiers)
    if isinstance(tiers, str):
        return f"--tier: {tiers}"
    return CheckSettings(
        profile=line.profile,
        select=line.select,
        ignore=line.ignore,
        import_tools=line.import_tools,
        assumed=assumed,
        time_limit=line.time_limit,
        tiers=tiers,
    )


def settings_of(line: CheckLine) -> CheckSettings:
    """The settings of a line; ends the command if it is wrong."""
    found = read_settings_of(line)
    if isinstance(found, str):
        from pipelang.interfaces.cli.programs import stop

        stop(found, USAGE)
    return found
