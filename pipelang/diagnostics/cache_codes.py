"""Rows of the table of codes (`codes`) about answers that are kept."""

from __future__ import annotations

from pipelang.diagnostics.rules import Severity
from pipelang.diagnostics.rules import row as _row

CACHED_RUN_ACTS = _row(
    "P625",
    "cached-run-acts",
    "the answer of `{name}` is kept, and `{name}` {what}: on a hit that would not happen",
    "cache what answers, and do the rest behind it: in a pipeline of its own, or in this one",
)
CACHED_EFFECT = _row(
    "P626",
    "cached-effect",
    "this {what}, but not when its answer comes from the cache",
    "leave `cache` out, or cache only the step that answers",
    Severity.WARNING,
)
