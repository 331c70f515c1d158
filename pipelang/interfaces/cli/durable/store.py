"""`pipelang store`: makes a store, brings it up to date, checks it, copies it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.durable.opening import opened
from pipelang.interfaces.cli.terminal import write


@click.group(name="store", short_help="Make, check or copy a store of durable runs.")
def command() -> None:
    """Keep a store of durable runs: sqlite:///FILE or postgresql://USER@HOST/DATABASE.

    Exit code 0, 1 if something is wrong in it, 2 on wrong usage, 3 if it cannot be reached or is of
    a newer version.
    """


@command.command(name="init", short_help="Make the tables.")
@click.argument("url")
def init(url: str) -> None:
    """Make the tables of a store that is new; one that is there stays as it is."""
    with opened(url, make=True) as store:
        write(f"{store.address.shown} is ready\n")


@command.command(name="migrate", short_help="Bring the tables up to date.")
@click.argument("url")
def migrate(url: str) -> None:
    """Bring the tables of a store up to date."""
    with opened(url, renew=True) as store:
        store.migrate()
        write(f"{store.address.shown} is up to date\n")


@command.command(name="check", short_help="Say what is in it, and what is wrong.")
@click.argument("url")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check(url: str, form: str) -> None:
    """Say what is in a store, and whether something is wrong in it."""
    from pipelang.runtime.durable import upkeep

    with opened(url) as store:
        found = upkeep.check(store)
        wrong = bool(found["lost"] or found["broken"])
        if form == "json":
            write(dumps(found, allow_nan=True) + "\n")
        else:
            counted = ", ".join(f"{n} {status}" for status, n in found["runs"].items()) or "no runs"
            write(f"version {found['version']}; {counted}; {found['rows']} rows in the journal\n")
            for run in found["lost"]:
                write(f"run {run} is open, and no leg of it waits or runs\n")
            if found["broken"]:
                write(f"the file is damaged: {found['broken']}\n")
    sys.exit(1 if wrong else 0)


@command.command(name="backup", short_help="Copy a store in SQLite into a file.")
@click.argument("url")
@click.option(
    "-o", "--output", metavar="FILE", help="Where to. Default: beside the store, with the day."
)
def backup(url: str, output: str | None) -> None:
    """Copy a store in SQLite, as it is at one moment, while workers go on. PostgreSQL has pg_dump.

    A copy that is put back knows nothing of what was done after it: such runs are done again from
    where the copy has them, and an effect whose outcome the copy lacks is unknown.
    """
    from datetime import UTC, datetime

    from pipelang.runtime.durable import upkeep

    with opened(url) as store:
        to = Path(output) if output else None
        if to is None:
            file = store.address.file or Path("store")
            day = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            to = file.with_name(f"{file.stem}-{day}{file.suffix or '.db'}")
        upkeep.backup(store, to)
        write(f"{to}\n")
