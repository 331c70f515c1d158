"""`pipelang compile`: a program as others read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.programs import chosen, deliver, read_program, stop

if TYPE_CHECKING:
    from pipelang.diagnostics import Sources
    from pipelang.semantics import program as p

TARGETS = ("ir", "jsonschema", "pyi", "prism")


@click.command(name="compile", short_help="Write a program as JSON, JSON Schema, stubs or a model.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="What to write.")
@click.option("--pipeline", "named", metavar="NAME", help="The same as PIPELINE after FILE.")
@click.option("-o", "--output", "out", metavar="OUT", help="A file instead of standard output.")
@click.option("--spans", is_flag=True, help="ir: say where everything stands.")
def command(
    file: str, pipeline: str | None, named: str | None, target: str, out: str | None, spans: bool
) -> None:
    """Compile FILE, or only PIPELINE of it.

    ir: the whole program as documented JSON, with its hash; layout and comments change neither.
    jsonschema: what goes into the pipelines and what comes out. pyi: the same as a stub for Python.
    prism: one pipeline as a Markov chain, for model checkers such as Storm and PRISM.

    Nothing is run and nothing is imported. Exit code 1 if the file is no program; what only the
    analysis finds is left to `check`.
    """
    if spans and target != "ir":
        raise click.UsageError("--spans goes with `--to ir`")
    if pipeline is not None and named is not None:
        raise click.UsageError("name the pipeline once: after FILE, or with --pipeline")
    pipeline = named if pipeline is None else pipeline
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
        case "prism":
            return _model(program, names)
        case _:
            from pipelang.interfaces.export.pyi import pyi

            return pyi(program, names)


def _model(program: p.Program, names: list[str]) -> str:
    from pipelang.interfaces.export.prism import NotExportable, prism

    if len(names) != 1:
        there = f"there are: {', '.join(names)}" if names else "there is none"
        stop("`--to prism` takes one pipeline: name it after the file", help=there)
    try:
        return prism(program, names[0])
    except NotExportable as why:
        stop(f"`{names[0]}`: {why}")
