"""The rows of what is watched and sampled (P575 to P577, P631), a part of the table in `codes`."""

from __future__ import annotations

from pipelang.diagnostics.rules import Severity, row

LINE_UNMEASURED = row(
    "P575", "line-unmeasured", "nothing measures `{line}`: {why}", severity=Severity.WARNING
)
LINE_AT_ODDS = row("P576", "line-at-odds", "`{line}` {what}", severity=Severity.WARNING)
RUSHED_AS_USUAL = row("P577", "rushed-as-usual", "{what}", severity=Severity.WARNING)
NOT_SAMPLED = row("P631", "not-sampled", "{what}, so that it cannot be sampled")
