"""The rows of what runs stand on and leave behind: quotas, days, providers, what is
watched and sampled, answers that are kept, and patterns. A part of the table in `codes`.
"""

from __future__ import annotations

from pipelang.diagnostics.rules import Severity, row

QUOTA_WITHOUT_BUDGET = row(
    "P541",
    "quota-without-budget",
    "the quota of {limit} needs a budget of {what}: `{name}` has none",
)
QUOTA_BELOW_BUDGET = row(
    "P542",
    "quota-below-budget",
    "no run of `{name}` could start: its budget of {most} does not fit into {limit}",
    "a smaller budget, or a larger quota",
)
QUOTA_BELOW_TRAFFIC = row(
    "P543",
    "quota-below-traffic",
    "`{name}` would take {mean} {period} by its traffic, and its quota is {limit}",
    "a larger quota, unless several tenants share the traffic",
    Severity.WARNING,
)

DAY_TO_COME = row(
    "P555",
    "day-to-come",
    "{what} is of {day}{where}, and today is {today}",
    "nobody can have read or measured anything on a day to come: mend the `as_of`",
    Severity.WARNING,
)

PROVIDER_ADDRESS = row(
    "P561",
    "provider-address",
    "the `base_url` of `{name}` {what}",
)

LINE_UNMEASURED = row(
    "P575", "line-unmeasured", "nothing measures `{line}`: {why}", severity=Severity.WARNING
)
LINE_AT_ODDS = row("P576", "line-at-odds", "`{line}` {what}", severity=Severity.WARNING)
RUSHED_AS_USUAL = row("P577", "rushed-as-usual", "{what}", severity=Severity.WARNING)
NOT_SAMPLED = row("P631", "not-sampled", "{what}, so that it cannot be sampled")

CACHED_RUN_ACTS = row(
    "P625",
    "cached-run-acts",
    "the answer of `{name}` is kept, and `{name}` {what}: on a hit that would not happen",
    "cache what answers, and do the rest behind it: in a pipeline of its own, or in this one",
)
CACHED_EFFECT = row(
    "P626",
    "cached-effect",
    "this {what}, but not when its answer comes from the cache",
    "leave `cache` out, or cache only the step that answers",
    Severity.WARNING,
)

DOUBLED_BACKSLASH = row(
    "P640",
    "doubled-backslash",
    "`{found}` looks for a backslash and then for {then}",
    "a pattern has its backslashes as RE2 reads them, each once: `{meant}`. Where a backslash is"
    " meant, `[\\\\]` says so",
    Severity.WARNING,
)
