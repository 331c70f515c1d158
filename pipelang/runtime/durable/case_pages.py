"""Pages of the cases in a store, oldest first: only those that are shown are read.

When a case was opened, and for whom, its JSON alone says, which holds all that a person is shown.
The database looks for the first `opened_at` in it: before that are only ids and names of a program
(`Case`), nothing that a model or a user wrote.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.durable.case_rows import cases_of
from pipelang.runtime.durable.store import Store, may_be_kept
from pipelang.runtime.inbox.cases import Case, settled

LONGEST_NAME = 300
"""Letters of a name that are looked at."""

Place = tuple[float, str]


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """The cases that a page is of: the open ones, or with `closed` all. `tenant` is one element,
    None for all tenants; `after` is where the page before ended.
    """

    tenant: tuple[str | None] | None = None
    role: str | None = None
    run: str | None = None
    closed: bool = False
    after: Place | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class OpenCases:
    """Counts of the open cases of a pipeline, and when the oldest was opened, in seconds."""

    count: int
    oldest: float


def case_page(store: Store, asked: CaseQuery) -> tuple[list[Case], bool]:
    """A page of cases, oldest first, and whether there are more."""
    found: list[Case] = []
    place = None if asked.after is None else (_key(asked.after[0]), asked.after[1])
    now = datetime.fromtimestamp(store.now(), UTC)
    while True:
        size = asked.limit + 1 - len(found)
        rows = _rows(store, asked, place, size)
        for case in cases_of(rows):
            # A run in a store goes on elsewhere: its cases are waited for.
            case = settled(case, now, waited_for=True)
            if (asked.closed or case.state == "open") and asked.role in (None, case.role):
                found.append(case)
        if rows:
            place = rows[-1]["opened"], rows[-1]["id"]
        if len(rows) < size or len(found) > asked.limit:
            return found[: asked.limit], len(found) > asked.limit


def open_cases_by_pipeline(store: Store) -> dict[str, OpenCases]:
    """The open cases of each pipeline that has some."""
    joined = "pipelang_cases c JOIN pipelang_runs r ON r.run = c.run WHERE c.state = 'open'"
    counts = store.rows(f"SELECT r.pipeline, count(*) AS n FROM {joined} GROUP BY r.pipeline")
    opened, id = _order(store)
    found: dict[str, OpenCases] = {}
    for row in counts:  # the index has the oldest first: few are read until one is of a pipeline
        first = store.rows(
            f"SELECT {opened} AS at FROM {joined} AND r.pipeline = :name "
            f"ORDER BY {opened}, {id} LIMIT 1",
            name=row["pipeline"],
        )
        if first:
            found[row["pipeline"]] = OpenCases(row["n"], _seconds(first[0]["at"]))
    return found


def _order(store: Store) -> tuple[str, str]:
    """The terms by which cases stand in their order: those of the index, by the letter."""
    signs = "" if store.address.is_sqlite else ' COLLATE "C"'
    return f"({_opened(store)}){signs}", f"id{signs}"


INDEX_OF_CASES = "pipelang_cases_opened"


def index_of_cases(store: Store) -> str:
    """The statement that makes the index by which open cases are read in their order."""
    columns = ", ".join(("state", *_order(store)))
    return f"CREATE INDEX IF NOT EXISTS {INDEX_OF_CASES} ON pipelang_cases ({columns})"


def _rows(
    store: Store, asked: CaseQuery, after: tuple[str, str] | None, size: int
) -> list[dict[str, Any]]:
    """The first so many cases after a place in the order of the database."""
    if any(one is not None and not may_be_kept(one) for one in (asked.run, asked.role)):
        return []
    opened, id = _order(store)
    wheres: list[str] = [] if asked.closed else ["state = 'open'"]
    values: dict[str, Any] = {"size": size}
    if asked.run is not None:
        wheres.append("c.run = :run")
        values["run"] = asked.run
    if asked.role is not None:  # the text of a case is looked through far sooner than it is parsed
        wheres.append("value LIKE :like ESCAPE '!'")
        told = re.sub("([!%_])", r"!\1", json.dumps(asked.role, ensure_ascii=False))
        values["like"] = f'%"role": {told}%'
    joined = ""
    if asked.tenant is not None:
        joined = "JOIN pipelang_runs r ON r.run = c.run"
        wheres.append("r.tenant IS NULL" if asked.tenant[0] is None else "r.tenant = :tenant")
        values |= {} if asked.tenant[0] is None else {"tenant": asked.tenant[0]}
    if after is not None:
        wheres.append(f"({opened}, {id}) > (:at, :id)")
        values |= {"at": after[0], "id": after[1]}
    where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
    return store.rows(
        f"""SELECT c.id, value, {_opened(store)} AS opened FROM pipelang_cases c {joined} {where}
        ORDER BY {opened}, {id} LIMIT :size""",
        **values,
    )


def _told(store: Store, key: str) -> str:
    """The text under the first key of this name in a case's JSON, in a query."""
    finds = "instr" if store.address.is_sqlite else "strpos"
    rest = f'substr(value, {finds}(value, \'"{key}": "\') + {len(key) + 5}, {LONGEST_NAME})'
    if store.address.is_sqlite:
        return f"substr({rest}, 1, instr({rest}, '\"') - 1)"
    return f"split_part({rest}, '\"', 1)"


def _opened(store: Store) -> str:
    """The time at which a case was opened, in a query: a text whose order is that of the times."""
    return f"rtrim({_told(store, 'opened_at')}, 'Z')"


def _key(seconds: float) -> str:
    """A time as `_opened` has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")
    except (ValueError, OverflowError, OSError):  # no time of ours: before all, or after all
        return "~" if seconds > 0 else ""


def _seconds(key: str) -> float:
    try:
        return datetime.fromisoformat(f"{key}+00:00").timestamp()
    except ValueError:
        return 0.0
