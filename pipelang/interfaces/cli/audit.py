"""`pipelang audit`: whether the audit log is as it was written, and what stands in it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.options.places import refuse_state_beside
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import wants_colour, warn, write
from pipelang.interfaces.runs.json_lines import object_of
from pipelang.interfaces.runs.state_folder import DEFAULT
from pipelang.interfaces.text.colours import Paint, painter
from pipelang.interfaces.text.number_format import plural

_HASH = 64


@click.group(name="audit", short_help="Verify or show the audit log.")
def command() -> None:
    """The audit log of runs: why each decision was made, each entry chained to the one before."""


def _log(file: str | None, state: str) -> Path:
    from pipelang.interfaces.runs.state_folder import StateFolder

    path = StateFolder(Path(state)).audit if file is None else Path(file)
    if not path.is_file():
        help = "`pipelang run` writes one; `--state DIR` says where"
        stop(f"there is no audit log `{path}`", 1, help)
    return path


@command.command(name="verify", short_help="Find the first broken link.")
@click.argument("file", required=False)
@click.option("--state", default=DEFAULT, show_default=True, help="The folder that it lies in.")
@click.option("--store", metavar="URL", help="The store of durable runs, instead of a file.")
@click.option("--expect", metavar="HASH", help="A last hash that was remembered elsewhere.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def verify_command(
    file: str | None, state: str, store: str | None, expect: str | None, form: str
) -> None:
    """Go through the log (or FILE): every entry must be what its hash was made from, and follow
    the one before. Exit code 1 if one does not.

    Whole entries that were cut off the end, or a log written anew, show only against --expect: the
    last hash of an earlier `verify`, kept where nobody writes who can write the log.

    With --store: what is recorded of durable runs, which is a chain for each run.
    """
    from pipelang.runtime.sinks.audit_verification import BrokenLine, verify

    refuse_state_beside(store)
    if expect is not None and (len(expect) != _HASH or set(expect) - set("0123456789abcdef")):
        stop(f"--expect takes a hash of {_HASH} hexadecimal digits, found `{expect}`", 2)
    if store is not None:
        if file is not None:
            stop("FILE and --store exclude each other", 2)
        sys.exit(_verify_stored(store, expect, form))
    path = _log(file, state)
    try:
        found = verify(path, expect)
    except OSError as error:
        stop(f"`{path}` cannot be read: {error}", 1)
    broken = isinstance(found, BrokenLine)
    if form == "json":
        record: dict[str, Any] = {"file": str(path), "ok": not broken}
        if isinstance(found, BrokenLine):
            record |= {"line": found.line, "kind": found.kind, "message": found.message}
        else:
            record |= {"entries": found.entries, "last": found.last, "torn": list(found.torn)}
        write(json.dumps(record, indent=2) + "\n")
        sys.exit(int(broken))
    paint = painter(wants_colour(sys.stdout))
    if isinstance(found, BrokenLine):
        write(f"{path}:{found.line}: {paint(found.kind, 'bad')}: {found.message}\n")
        sys.exit(1)
    many = "1 entry" if found.entries == 1 else f"{found.entries:,} entries"
    write(f"{path}: {many}, {paint('no link is broken', 'good')}\nlast hash {found.last}\n")
    for line in found.torn:
        warn(f"note: line {line} was cut short by a crash; the entry after it says so")


def _verify_stored(store: str, expect: str | None, form: str) -> int:
    """Verify the rows of a store; the exit code."""
    from pipelang.interfaces.cli.durable.opening import opened

    with opened(store) as ready:
        from pipelang.runtime.durable.history import auditing

        found, shown = auditing.verify(ready, expect), ready.address.shown
    broken = isinstance(found, auditing.BrokenRow)
    paint = painter(wants_colour(sys.stdout))
    if form == "json":
        record: dict[str, Any] = {"store": shown, "ok": not broken}
        if isinstance(found, auditing.BrokenRow):
            record |= {"run": found.run, "row": found.number, "place": found.place}
            record["message"] = found.message
        else:
            record |= {"runs": found.runs, "rows": found.rows, "last": found.last}
        write(json.dumps(record, indent=2) + "\n")
    elif isinstance(found, auditing.BrokenRow):
        where = f"run {found.run}, row {found.number} (`{found.place}`)" if found.number else shown
        write(f"{where}: {paint('broken', 'bad')}: {found.message}\n")
    else:
        whole = paint("no link is broken", "good")
        write(f"{shown}: {plural(found.rows, 'row')} of {plural(found.runs, 'run')}, {whole}\n")
        write(f"last hash {found.last}\n")
    return int(broken)


@command.command(name="show", short_help="Show entries.")
@click.argument("run", required=False)
@click.option("--tenant", help="Only entries of this tenant.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder that it lies in.")
@click.option("--store", metavar="URL", help="The store of durable runs, instead of a folder.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def show_command(
    run: str | None, tenant: str | None, state: str, store: str | None, form: str
) -> None:
    """Show the entries of RUN (an id or the beginning of one) or of all runs, unverified."""
    refuse_state_beside(store)
    if store is not None:
        _show_stored(store, run, tenant, form)
        return
    path = _log(None, state)
    paint = painter(wants_colour(sys.stdout))
    met, foreign = False, []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            entry = object_of(line)
            if entry is None or not _is_entry(entry):
                foreign.append(number)
                continue
            if run is not None and not (entry["run"] or "").startswith(run):
                continue
            if tenant is not None and entry["tenant"] != tenant:
                continue
            met = True
            _show(entry, form, paint)
    if foreign:
        count = plural(len(foreign), "line")
        warn(f"note: {count} of {path} cannot be read, and is left out: line {foreign[0]}")
    if not met:
        stop("no entry fits", 1)


def _show_stored(store: str, run: str | None, tenant: str | None, form: str) -> None:
    from pipelang.interfaces.cli.durable.opening import opened

    paint = painter(wants_colour(sys.stdout))
    met = False
    with opened(store) as ready:
        from pipelang.runtime.durable.history import auditing

        for entry in auditing.entries(ready, run, tenant):
            met = True
            _show(entry, form, paint)
    if not met:
        stop("no entry fits", 1)


def _is_entry(entry: dict[str, Any]) -> bool:
    """Whether a line has what every entry has, each of its type."""
    return (
        "run" in entry
        and "tenant" in entry
        and all(entry.get(key) is None or isinstance(entry[key], str) for key in _TEXTS)
        and isinstance(entry.get("n", 0), int)
        and isinstance(entry.get("data") or {}, dict)
    )


_TEXTS = ("run", "tenant", "time", "kind", "name")


def _show(entry: dict[str, Any], form: str, paint: Paint) -> None:
    if form == "json":
        write(dumps(entry, indent=None, allow_nan=True) + "\n")
        return
    data = entry.get("data") or {}
    said = "  ".join(f"{key}={_value(value)}" for key, value in data.items())
    start = f"{entry.get('n', ''):>6}  {entry.get('time', '')}  {entry.get('run') or '-':<12}"
    write(f"{paint(start, 'dim')}  {entry.get('kind')} {entry.get('name')}  {said}\n")


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    is_hash = len(text) == _HASH and not set(text) - set("0123456789abcdef")
    return text[:12] + "…" if is_hash else text
