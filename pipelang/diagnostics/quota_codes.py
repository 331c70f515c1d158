"""The rows of quotas (P541 to P543), a part of the table in `codes`."""

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
