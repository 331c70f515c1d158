"""`pipelang inbox`: what waits for people, or one case whole."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.options.names import PlainName
from pipelang.interfaces.cli.options.places import refuse_state_beside
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder
from pipelang.interfaces.text.colours import painter

if TYPE_CHECKING:
    from pipelang.runtime.inbox.inbox import Inbox

REFUSED = 1


@click.command(name="inbox", short_help="List what waits for people, or show one case.")
@click.argument("case", required=False)
@click.option("--role", help="Only what waits for this role.")
@click.option("--tenant", help="Only runs of this tenant.")
@click.option("--all", "closed", is_flag=True, help="Also what is closed, and how.")
@click.option("--by", type=PlainName(), help="Who looks. Default: the user of this machine.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of the inbox.")
@click.option("--store", metavar="URL", help="The store of durable runs, instead of a folder.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(
    case: str | None,
    role: str | None,
    tenant: str | None,
    closed: bool,
    by: str | None,
    state: str,
    store: str | None,
    form: str,
) -> None:
    """List the open cases, or show CASE (its id, or how it begins) with the command that answers
    it. Of a sampled answer it is noted who looks since when.

    Exit code 0, 1 if there is no such case, 2 on wrong usage.
    """
    with inbox_at(state, store) as inbox:
        where = str(StateFolder(Path(state)).inbox) if store is None else "the store"
        _show(inbox, case, role, tenant, closed, by, place_option(state, store), where, form)


def _show(
    inbox: Inbox,
    case: str | None,
    role: str | None,
    tenant: str | None,
    closed: bool,
    by: str | None,
    option: str,
    where: str,
    form: str,
) -> None:
    from pipelang.interfaces.report.runs.cases import case_lines, case_whole
    from pipelang.runtime.inbox.case_records import case_json
    from pipelang.runtime.inbox.cases import InboxBroken, Refused
    from pipelang.runtime.inbox.inbox import utc_now

    paint, width = painter(wants_colour(sys.stdout)), text_width(sys.stdout)
    try:
        if case is not None:
            found = inbox.case(case)
            if found.kind == "label" and (who := by or user()) is not None:
                found = asyncio.run(inbox.look(found.id, who))
            if form == "json":
                _json(case_json(found))
            else:
                lines = case_whole(found, utc_now(), paint, width, option)
                write("\n".join(lines) + "\n")
            return
        cases = inbox.cases(role=role, tenant=tenant, closed=closed)
    except Refused as refused:
        stop(str(refused), REFUSED, waiting(inbox))
    except InboxBroken as broken:
        stop(str(broken), REFUSED)
    note_broken_cases(inbox.unreadable)
    if form == "json":
        _json({"version": 1, "cases": [case_json(one) for one in cases]})
    elif cases:
        write("\n".join(case_lines(cases, utc_now(), paint, width, closed)) + "\n")
    else:
        write(f"nothing {'is' if closed else 'waits'} in {where}\n")


def note_broken_cases(places: Iterable[str]) -> None:
    """Say which files of an inbox, or rows of a store, hold no case: they are left out."""
    for place in sorted(places):
        named = place if "`" in place else f"`{place}`"
        warn(f"note: {named} holds no case that can be read")


@contextmanager
def inbox_at(state: str, store: str | None) -> Iterator[Inbox]:
    """The inbox of a state folder, or of a store if one is named."""
    refuse_state_beside(store)
    if store is None:
        from pipelang.runtime.inbox.inbox import Inbox

        yield Inbox(StateFolder(Path(state)).inbox)
        return
    from pipelang.interfaces.cli.durable.opening import opened

    with opened(store) as ready:
        from pipelang.runtime.durable.cases import inbox_of

        yield inbox_of(ready)


def user() -> str | None:
    """The name of the user of this machine, if it has one."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def place_option(state: str, store: str | None) -> str:
    """The option with which a command finds this state folder or store."""
    import shlex

    return state_option(state) if store is None else f" --store {shlex.quote(store)}"


def waiting(inbox: Inbox) -> str | None:
    """The ids that wait, in a line of help."""
    from pipelang.runtime.inbox.cases import InboxBroken

    try:
        ids = [one.id for one in inbox.cases()]
    except InboxBroken:
        return None
    listed = ", ".join(f"`{one}`" for one in ids[:5])
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return f"waiting: {listed}{more}" if ids else "nothing waits"


def state_option(state: str) -> str:
    """The option with which a command finds this state folder."""
    import shlex

    return "" if state == DEFAULT else f" --state {shlex.quote(state)}"


def _json(value: object) -> None:
    write(dumps(value, allow_nan=True) + "\n")
