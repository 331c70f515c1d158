"""`pipelang inbox`: what waits for people, or one case whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelang.diagnostics.render import dumps
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
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of the inbox.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(
    case: str | None, role: str | None, tenant: str | None, closed: bool, state: str, form: str
) -> None:
    """List the open cases, or show CASE (its id, or how it begins) with the command that answers
    it.

    Exit code 0, 1 if there is no such case, 2 on wrong usage.
    """
    from pipelang.interfaces.report.runs.cases import case_lines, case_whole
    from pipelang.runtime.inbox.cases import InboxBroken, Refused, case_json
    from pipelang.runtime.inbox.inbox import Inbox, utc_now

    inbox = Inbox(StateFolder(Path(state)).inbox)
    paint, width = painter(wants_colour(sys.stdout)), text_width(sys.stdout)
    try:
        if case is not None:
            found = inbox.case(case)
            if form == "json":
                _json(case_json(found))
            else:
                lines = case_whole(found, utc_now(), paint, width, state_option(state))
                write("\n".join(lines) + "\n")
            return
        cases = inbox.cases(role=role, tenant=tenant, closed=closed)
    except Refused as refused:
        stop(str(refused), REFUSED, waiting(inbox))
    except InboxBroken as broken:
        stop(str(broken), REFUSED)
    for path in inbox.unreadable:
        warn(f"note: `{path}` holds no case that can be read")
    if form == "json":
        _json({"version": 1, "cases": [case_json(one) for one in cases]})
    elif cases:
        write("\n".join(case_lines(cases, utc_now(), paint, width, closed)) + "\n")
    else:
        write(f"nothing {'is' if closed else 'waits'} in {StateFolder(Path(state)).inbox}\n")


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
