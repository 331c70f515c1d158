"""The row of days (P555), a part of the table in `codes`."""

from __future__ import annotations

from pipelang.diagnostics.rules import Severity, row

DAY_TO_COME = row(
    "P555",
    "day-to-come",
    "{what} is of {day}{where}, and today is {today}",
    "nobody can have read or measured anything on a day to come: mend the `as_of`",
    Severity.WARNING,
)
