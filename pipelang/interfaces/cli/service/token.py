"""`pipelang token`: makes, lists and revokes the tokens of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.options.quantities import Duration
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import warn, write
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder
from pipelang.interfaces.service.principals import RIGHTS, Right
from pipelang.interfaces.service.tokens import AccessToken, TokenFile, TokensBroken

F = TypeVar("F", bound=Callable[..., Any])

MOST_CHARACTERS = 200


def _file_option(command: F) -> F:
    return click.option(
        "--tokens",
        "path",
        metavar="FILE",
        default=str(StateFolder(Path(DEFAULT)).tokens),
        show_default=True,
        help="The file of tokens, as `serve --tokens` reads it.",
    )(command)


@click.group(name="token", short_help="Make, list and revoke the tokens of a server.")
def command() -> None:
    """Say who may do what at `pipelang serve`. A server looks at the file at every request: it
    needs no restart.

    Exit code 0, 1 if there is no such token or the file cannot be read or written, 2 on wrong
    usage.
    """


@command.command(name="new", short_help="Make a token.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(RIGHTS),
    help="caller: starts and reads runs. approver: decides. operator: sees all, turns switches.",
)
@click.option("--tenant", help="Whose runs they see and start. Without: those of no tenant.")
@click.option("--name", required=True, help="Who it is: decisions are made in this name.")
@click.option("--expires", type=Duration(1), help="Valid for so long, such as 90d.")
@_file_option
def new(
    roles: tuple[Right, ...], tenant: str | None, name: str, expires: float | None, path: str
) -> None:
    """Make a token and print it. It is shown once: the file has its hash alone."""
    from pipelang.runtime.inbox.cases import identity

    for option, text in (("--name", name), ("--tenant", tenant)):
        if text is None:
            continue
        if not text.isprintable() or not identity(text) or len(text) > MOST_CHARACTERS:
            stop(f"{option} is a text that can be read, of at most {MOST_CHARACTERS} characters")
    until = None
    if expires is not None:
        try:
            until = datetime.now(UTC) + timedelta(seconds=expires)
        except OverflowError:
            stop("--expires is too long: leave it out for a token that does not expire")
    with _told():
        made, kept = TokenFile(path).new(name.strip(), roles, tenant, until)
    write(f"{made}\n")
    warn(f"note: `{kept.name}`, {_rights(kept)}, id {kept.id}; this is shown once")


@command.command(name="list", short_help="List tokens, without their secrets.")
@_file_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_(path: str, form: str) -> None:
    """List the tokens of a file: their ids, whose they are, and whether they are valid."""
    with _told():
        found = TokenFile(path).all()
    now = datetime.now(UTC)
    if form == "json":
        write(dumps({"version": 1, "tokens": [_json(one, now) for one in found]}) + "\n")
    elif not found:
        write(f"there are no tokens in `{path}`\n")
    for one in found if form == "text" else ():
        tenant = "" if one.tenant is None else f" of {one.tenant}"
        until = "" if one.expires is None else f" until {one.expires:%Y-%m-%d %H:%M} UTC"
        write(f"{one.id}  {one.state(now):<8} {one.name}{tenant}: {_rights(one)}{until}\n")


@command.command(name="revoke", short_help="Revoke a token for good.")
@click.argument("id")
@_file_option
def revoke(id: str, path: str) -> None:
    """Revoke the token with this ID, as `list` shows it. Its logins end with it."""
    with _told():
        found = TokenFile(path).revoke(id)
    if found is None:
        stop(f"there is no token with the id `{id}` in `{path}`", FINDINGS)
    write(f"the token of `{found.name}` is revoked\n")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TokensBroken as broken:
        stop(str(broken), FINDINGS if "cannot be" in str(broken) else USAGE)


def _rights(token: AccessToken) -> str:
    return ", ".join(sorted(token.rights))


def _json(token: AccessToken, now: datetime) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "roles": sorted(token.rights),
        "tenant": token.tenant,
        "state": token.state(now),
        "created": token.created.isoformat(),
        "expires": None if token.expires is None else token.expires.isoformat(),
        "revoked": None if token.revoked is None else token.revoked.isoformat(),
    }
