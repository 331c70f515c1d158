"""`pipelang graph`: pipelines as pictures, and as graphs for other programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.programs import chosen, deliver, read_program, stop
from pipelang.interfaces.cli.terminal import WIDEST, text_width, wants_colour

if TYPE_CHECKING:
    import networkx as nx

FORMATS = ("ascii", "mermaid", "dot", "svg", "graphml", "json")


@click.command(
    name="graph", short_help="Draw pipelines as text, mermaid, dot or SVG, or give the graph."
)
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--format", "form", type=click.Choice(FORMATS), default="ascii", show_default=True)
@click.option("-o", "--output", "out", metavar="OUT", help="A file instead of standard output.")
def command(file: str, pipeline: str | None, form: str, out: str | None) -> None:
    """Draw the pipelines of FILE, or only PIPELINE: steps and gates in the order in which they run,
    regions in which steps run side by side, fallbacks, and every way in which a run can end.
    graphml and json are the graph itself, for other programs.

    Exit code 1 if the file is no program; what only the analysis finds is left to `check`.
    """
    from pipelang.interfaces.export.flow import flow

    program, sources = read_program(file)
    names = chosen(program, pipeline)
    if not names:
        stop(f"`{file}` has no pipeline")
    deliver(_drawn(flow(program, names, sources), form, to_file=out not in (None, "-")), out)


def _drawn(made: nx.DiGraph, form: str, to_file: bool) -> str:
    from pipelang.interfaces.export.graph import picture

    if form == "graphml":
        from pipelang.interfaces.export.graph_files import graphml

        return graphml(made)
    if form == "json":
        from pipelang.diagnostics.render import dumps
        from pipelang.interfaces.export.graph_files import node_link

        return dumps(node_link(made)) + "\n"
    graph = picture(made)
    match form:
        case "ascii":
            from pipelang.interfaces.export.ascii import ascii
            from pipelang.interfaces.text.colours import painter

            colour = not to_file and wants_colour(sys.stdout)
            width = WIDEST if to_file else text_width(sys.stdout)
            return ascii(graph, width, painter(colour))
        case "mermaid":
            from pipelang.interfaces.export.mermaid import mermaid

            return mermaid(graph)
        case "dot":
            from pipelang.interfaces.export.dot import dot

            return dot(graph)
        case _:
            from pipelang.interfaces.export.svg import svg

            return svg(graph)
