"""`pipelang evidence stamp`: write down where the rows of an evidence file come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.evidence.reading import must_stay_readable, read_evidence_file
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import read_program, stop
from pipelang.interfaces.cli.terminal import warn, write

if TYPE_CHECKING:
    from pipelang.analysis.findings.evidence_uses import EvidenceUse
    from pipelang.semantics import program as p


def _day(ctx: click.Context, option: click.Parameter, given: str | None) -> str | None:
    if given is None:
        return None
    from datetime import date

    from pipelang.interfaces.check.prices import is_to_come
    from pipelang.interfaces.check.today import today
    from pipelang.semantics.evidence_origin import is_day

    if not is_day(given):
        raise click.BadParameter(f"`{given}` is no day: write 2026-11-29")
    if is_to_come(given, date.fromisoformat(today())):
        why = f"`{given}` is still to come, and today is {today()}"
        raise click.BadParameter(f"{why}: rows are of the day on which they were measured")
    return given


@click.command(name="stamp", short_help="Write down what a file was measured on.")
@click.argument("file")
@click.argument("step", required=False)
@click.option("--pipe", metavar="PIPE", help="The .pipe file that names FILE; else it is found.")
@click.option("--as-of", callback=_day, metavar="DAY", help="When it was measured; today if none.")
@click.option(
    "--sampled",
    metavar="GATE",
    help="`all`, or the gate behind which the cases were taken; if none, the one before the step.",
)
def stamp_command(
    file: str, step: str | None, pipe: str | None, as_of: str | None, sampled: str | None
) -> None:
    """Write a first row into FILE, an evidence file, that says where its rows come from: the hash
    of the prompt's text and types, the model, the day, and the gate behind which the cases were
    taken, as they are for STEP (a step or gate, as `kind` or `pipeline.kind`) in the .pipe file
    that names FILE. From then on `pipelang check` says when a step has moved away from its evidence
    (P530 to P533).

    With a .pipe file as FILE, every evidence file that it names is stamped. Exit code 1 if a file
    is malformed or steps differ, 2 if nothing names it.
    """
    from pipelang.interfaces.check.today import today

    day = as_of or today()
    if file.endswith(".pipe"):
        program, _ = read_program(file)
        uses = {name: _uses(program, name, step) for name in sorted(program.evidence)}
        if not any(uses.values()):
            whose = "" if step is None else f" for `{step}`"
            help = 'evidence is named by `accuracy from "FILE.jsonl"`'
            stop(f"`{file}` names no evidence{whose}", USAGE, help)
        for name, found in uses.items():
            if found:
                _stamp(program, name, found, day, sampled)
        return
    read_evidence_file(file)
    named = _named(file, step, pipe)
    if named is None:
        whose = "" if step is None else f" as evidence of `{step}`"
        help = "name it behind `from` in a .pipe file beside or above it, or say `--pipe PIPE`"
        stop(f"no pipeline names `{file}`{whose}", USAGE, help)
    _stamp(named[0], file, named[1], day, sampled)


def _uses(program: p.Program, file: str, step: str | None) -> list[EvidenceUse]:
    from pipelang.interfaces.check.stamping import uses_of

    return list(uses_of(program, file, step))


def _named(
    file: str, step: str | None, pipe: str | None
) -> tuple[p.Program, list[EvidenceUse]] | None:
    """The program that names a file, with its uses there; of several the nearest."""
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.interfaces.check.stamping import pipes_around
    from pipelang.semantics.build import build

    if pipe is not None:
        program, _ = read_program(pipe)
        uses = _uses(program, file, step)
        return (program, uses) if uses else None
    for path in pipes_around(file):
        built = build(path, DiskLoader())
        if built.program is None:
            if Path(file).name in Path(path).read_text(errors="replace"):
                warn(f"`{path}` has errors and is passed over: `pipelang check {path}`")
            continue
        uses = _uses(built.program, file, step)
        if uses:
            return built.program, uses
    return None


def _stamp(
    program: p.Program, file: str, uses: list[EvidenceUse], day: str, sampled: str | None
) -> None:
    """Write the origin of one file, and say what was written."""
    from pipelang.interfaces.check.stamping import own_line, stamp, stamped
    from pipelang.runtime.files.whole_files import replace_whole

    _check_gate(uses, sampled)
    made = stamp(program, uses, day, sampled)
    if made is None:
        names = ", ".join(dict.fromkeys(f"{use.pipeline}.{use.name}" for use in uses))
        why = f"`{file}` is evidence for what differs in prompt, model or gate: {names}"
        stop(why, FINDINGS, f"name the one whose answers it holds: `evidence stamp {file} STEP`")
    with open(file, encoding="utf-8", newline="") as opened:
        text = opened.read()
    own = own_line(text)
    if own is not None:
        why = f"`{file}`, line {own}: this row says itself where it comes from"
        stop(why, FINDINGS, "a stamp is for all rows: take `prompt`, `model`, ... out of that one")
    try:
        data = stamped(text, made.row).encode()
        must_stay_readable(file, data)
        replace_whole(file, data)
    except OSError as error:
        stop(f"`{file}` cannot be written: {error.strerror or error}", FINDINGS)
    said = ", ".join(f"{key} {value}" for key, value in made.row.items())
    write(f"{file}: {said}\n")
    for reason in made.left_out:
        write(f"  without {reason}\n")
    if sampled is None and made.row["sampled"] != "all":
        write("  if the cases that it rejects are there too, say `--sampled all`\n")


def _check_gate(uses: list[EvidenceUse], sampled: str | None) -> None:
    if sampled in (None, "all"):
        return
    gates = {gate for use in uses for _, gate in use.gates}
    gates |= {use.name for use in uses if use.name != use.step}  # the gate whose evidence it is
    gates |= {f"{pipeline}.{gate}" for use in uses for pipeline, gate in use.gates}
    if uses and sampled not in gates:
        help = f"`all`, or one of these: {', '.join(sorted(gates))}" if gates else "say `all`"
        stop(f"there is no gate `{sampled}` before it", USAGE, help)
