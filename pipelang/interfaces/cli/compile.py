"""`pipelang compile`: a program as others read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.programs import chosen, deliver, read_program

if TYPE_CHECKING:
    from pipelang.diagnostics import Sources
    from pipelang.semantics import program as p

TARGETS = ("ir", "jsonschema", "pyi")


@click.command(name="compile", short_help="Write a program as JSON, JSON Schema or Python stubs.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="What to write.")
@click.option("-o", "--output", "out", metavar="OUT", help="A file instead of standard output.")
@click.option("--spans", is_flag=True, help="ir: say where everything stands.")
def command(file: str, pipeline: str | None, target: str, out: str | None, spans: bool) -> None:
    """Compile FILE, or only PIPELINE of it.

    ir: the whole program as documented JSON, with its hash; layout and comments change neither.
    jsonschema: what goes into the pipelines and what comes out. pyi: the same as a stub for Python.

    Nothing is run and nothing is imported. Exit code 1 if the file has errors.
    """
    if spans and target != "ir":
        raise click.UsageError("--spans goes with `--to ir`")
    program, sources = read_program(file)
    names = chosen(program, pipeline)
    deliver(_written(program, names, target, pipeline, sources if spans else None), out)


def _written(
    program: p.Program,
    names: list[str],
    target: str,
    root: str | None,
    sources: Sources | None,
) -> str:
    from pipelang.diagnostics.render import dumps

    match target:
        case "ir":
            from pipelang.interfaces.export.ir import program_json

            return dumps(program_json(program, names, sources)) + "\n"
        case "jsonschema":
            from pipelang.interfaces.export.jsonschema import jsonschema

            return dumps(jsonschema(program, names, root)) + "\n"
        case _:
            from pipelang.interfaces.export.pyi import pyi

            return pyi(program, names)
