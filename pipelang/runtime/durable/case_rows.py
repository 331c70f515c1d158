"""Rows of a store that hold cases, read one by one: what somebody wrote there may be none."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from pipelang.runtime.durable.address import StoreProblem
from pipelang.runtime.inbox.case_records import NoCase, case_from
from pipelang.runtime.inbox.cases import Case, InboxBroken

LOG = logging.getLogger("pipelang.store")


class CaseBroken(StoreProblem, InboxBroken):
    """A row of a store that holds no case."""


def case_of(row: Mapping[str, Any]) -> Case:
    """The case of a row, of which `id` and `value` were asked for. Raises `CaseBroken`."""
    try:
        case = case_from(row["value"].encode())
    except NoCase as why:
        raise CaseBroken(
            f"{name_of(row)} holds no case that this version can read: {why}"
        ) from None
    if case.id != row["id"]:
        raise CaseBroken(f"{name_of(row)} holds a case of another name, `{case.id}`")
    return case


def cases_of(rows: Iterable[Mapping[str, Any]], broken: set[str] | None = None) -> list[Case]:
    """The cases of rows. One that is broken must not hide the others: it is put into `broken`, by
    its name, and into the log where nobody asks for those.
    """
    found = []
    for row in rows:
        try:
            found.append(case_of(row))
        except CaseBroken as why:
            if broken is None:
                LOG.warning("%s", why)
            else:
                broken.add(name_of(row))
    return found


def name_of(row: Mapping[str, Any]) -> str:
    """The place of a row, for people."""
    return f"row `{row['id']}` of pipelang_cases"
