"""Tells the day of a check: prices grow old, and nothing else about a file does."""

from __future__ import annotations

import os
import time

VARIABLE = "PIPELANG_TODAY"


def today() -> str:
    """The day, as in `2026-11-29`: that of the environment variable where one is set, so that a
    report can be made again as it was.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:  # `strptime` imports calendars and locales, even to say no
        return time.strftime("%Y-%m-%d")
    try:
        year, month, day, *_ = time.strptime(given, "%Y-%m-%d")
    except ValueError:
        return time.strftime("%Y-%m-%d")
    return f"{year:04}-{month:02}-{day:02}"  # 2026-1-5 is a day, too
