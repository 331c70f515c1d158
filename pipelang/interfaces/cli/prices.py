"""`pipelang prices`: the snapshot of models' prices, compared with files, and renewed."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.terminal import warn, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelang.semantics import program as p


@click.command(name="prices", short_help="Compare prices with the snapshot, or renew it.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Compare the tiers of files with the snapshot.")
@click.option("--update", is_flag=True, help="Write the snapshot of the installed genai-prices.")
@click.option(
    "-o",
    "--output",
    "--out",
    "out",
    metavar="OUT",
    help="Where --update writes; else the snapshot itself.",
)
def command(paths: tuple[str, ...], check: bool, update: bool, out: str | None) -> None:
    """Say which prices pipelang has, for tiers that declare none.

    --check compares the tiers of files or folders (the current one by default) with them: exit code
    1 if one costs something else, is old, or names a retired model. --update reads the package
    genai-prices, as it is installed here; no network is asked.
    """
    from pipelang.interfaces.cli.programs import stop
    from pipelang.semantics import price_snapshot

    if out is not None and not update:
        stop("--output goes with --update")
    if update and (check or paths):
        stop("--update goes without paths and without --check")
    if update:
        _update(out or price_snapshot.snapshot_path())
        return
    if check or paths:
        sys.exit(_check(paths or (".",)))
    models = price_snapshot.models()
    write(
        f"{price_snapshot.source()} of {price_snapshot.as_of()}: "
        f"{sum(models.values()):,} models of {len(models)} makers\n"
    )


def _update(path: str) -> None:
    from pipelang.interfaces.check.today import today
    from pipelang.interfaces.cli.programs import must_be_replaceable, stop
    from pipelang.interfaces.importing.genai_prices import as_text, dated, installed_snapshot
    from pipelang.runtime.files.whole_files import write_whole
    from pipelang.semantics.price_snapshot import snapshot_path

    must_be_replaceable(str(path))
    try:
        made = installed_snapshot(date.fromisoformat(today()))
        snapshot = dated(made, (path, snapshot_path()))
    except ImportError:
        stop(
            "the package genai-prices isn't installed",
            help="pip install --upgrade genai-prices",
        )
    try:
        write_whole(path, as_text(snapshot).encode())
    except OSError as error:
        stop(
            f"`{path}` cannot be written: {error.strerror or error}", help="name one: --output FILE"
        )
    count = sum(len(models) for models in snapshot["makers"].values())
    write(f"{path}: {count:,} models, {snapshot['source']} of {snapshot['as_of']}\n")


def _check(paths: tuple[str, ...]) -> int:
    from pipelang.diagnostics.render import as_text
    from pipelang.interfaces.check.disk_loader import DiskLoader, quotable
    from pipelang.interfaces.check.pipe_paths import pipe_files
    from pipelang.interfaces.text.number_format import plural
    from pipelang.semantics.build import build

    files, missing = pipe_files(paths)
    for found in missing:
        warn(as_text(found, {}))
    if missing:
        return 2
    lines: dict[str, None] = {}
    tiers, broken = set[str](), False
    for file in files:
        built = build(file, DiskLoader())
        if built.program is None:
            broken = True
            sources = quotable(built.sources, file)
            warn("\n\n".join(as_text(one, sources) for one in built.diagnostics if one.is_error))
            continue
        tiers |= {f"{tier.span.file}:{tier.name}" for tier in built.program.tiers.values()}
        lines.update(dict.fromkeys(_differences(built.program)))
    for line in lines:
        write(f"{line}\n")
    if not lines:
        write(f"{plural(len(tiers), 'tier')}, and no price differs from the snapshot's\n")
    return 1 if lines or broken else 0


def _differences(program: p.Program) -> Iterator[str]:
    """A line for each difference of a tier from the snapshot."""
    from pipelang.interfaces.check.today import today
    from pipelang.semantics import price_snapshot

    day = date.fromisoformat(today())
    for tier in program.tiers.values():
        named = f"{tier.span.file}: tier `{tier.name}`"
        if tier.as_of is not None and tier.prices:
            days = (day - date.fromisoformat(tier.as_of)).days
            if days > price_snapshot.OLD_AFTER:
                yield f"{named}: its price is {days} days old"
        kind = program.providers[tier.provider].kind
        known = price_snapshot.priced(kind, tier.model) if tier.model else None
        if known is None:
            continue
        if known.retired:
            yield f"{named}: `{tier.model}` is retired, or about to be"
        long = tier.context is not None and known.context is not None and known.beyond
        dear = long and (tier.context or 0) > (known.context or 0)
        for one, price in (known.beyond if dear else known.prices).items():
            declared = tier.prices.get(one)
            if declared is not None and declared != price:
                yield f"{named}: `{one}` is ${declared} here, and ${price} in the snapshot"
