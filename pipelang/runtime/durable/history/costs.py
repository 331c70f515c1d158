"""Costs of runs: as they are stored, and by the rows of a run that somebody else ends, with the
calls that were cut off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pipelang.runtime.worlds.recorded.cut_calls import cut_calls
from pipelang.runtime.worlds.recorded.ledger import charged
from pipelang.runtime.worlds.recorded.record import Kind

_UNKNOWN = "NaN"
"""An unknown cost in a store, whose column is never empty: a number that is none."""


def cost_text(cost: Decimal | None) -> str:
    """A cost as it is stored."""
    return _UNKNOWN if cost is None else str(cost)


def cost_from(text: str) -> Decimal | None:
    """A cost that was stored; None where it is unknown."""
    return None if text == _UNKNOWN else Decimal(text)


def rows_of(connection: sa.Connection, run: str) -> dict[str, tuple[Kind, Any]]:
    """The rows of a run, by their places."""
    rows = connection.execute(
        sa.text("SELECT place, kind, value FROM pipelang_journal WHERE run = :run"), {"run": run}
    )
    return {row.place: (row.kind, json.loads(row.value)) for row in rows}


def used_by(rows: Mapping[str, tuple[Kind, Any]], known: tuple[str, int]) -> tuple[str, int]:
    """The cost as it is stored, and the tokens, that a run has used by its rows. A call that was
    cut off counts with all that it may have used. Where they cannot be read it is as was known.
    """
    try:
        budget = charged(rows, "")
    except Exception:  # rows that somebody changed keep nobody from ending their run
        return known
    return cost_text(budget.cost), budget.tokens


def cut_by(rows: Mapping[str, tuple[Kind, Any]]) -> dict[str, str]:
    """The calls that act which were under way by the rows of a run, as far as they can be read."""
    try:
        return cut_calls(rows)
    except Exception:  # as for what it used
        return {}
