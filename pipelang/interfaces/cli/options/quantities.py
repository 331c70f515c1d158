"""Values of options that are quantities of the language: durations and shares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    ParamType = click.ParamType[float]
else:
    ParamType = click.ParamType  # no generic class in the oldest version that is allowed

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}


class Duration(ParamType):
    """A duration as in the language, e.g. `90s` or `7d`; a bare number is seconds, unless the unit
    has to be named (`unit`, of all but 0): where one too short deletes too much. Less than `least`
    seconds are refused.
    """

    name = "DURATION"

    def __init__(self, least: float = 0.0, unit: bool = False) -> None:
        self.least = least
        self.unit = unit

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,12}(?:\.\d+)?)(ms|s|m|h|d|)", str(value).strip())
        if found is None:
            self.fail(f"`{value}` is no duration: write e.g. 90s, 15m, 2h or 7d", param, ctx)
        seconds = float(found[1]) * _UNITS[found[2]]
        if self.unit and seconds and not found[2]:
            self.fail(f"`{value}` has no unit: write e.g. {value}d for days", param, ctx)
        if seconds < self.least:
            self.fail(f"`{value}` is too short: at least {self.least:g}s", param, ctx)
        return seconds


class ShareOption(ParamType):
    """A share as in the language, e.g. `90%`; a bare number from 0 to 1 is one too."""

    name = "SHARE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?|\.\d{1,9})(%?)", str(value).strip())
        share = -1.0 if found is None else float(found[1]) / (100 if found[2] else 1)
        if not 0 <= share <= 1:
            self.fail(f"`{value}` is no share: write e.g. 90%", param, ctx)
        return share
