"""`pipelang lsp`: the language server, which editors start."""

from __future__ import annotations

import os

import click

from pipelang.interfaces.cli.programs import stop


@click.command(name="lsp", short_help="Serve an editor: findings, numbers, completion, renaming.")
@click.option("--stdio", is_flag=True, help="Standard input and output, which is the default.")
@click.option("--port", type=click.IntRange(1, 65535), help="A port of this machine instead.")
def command(stdio: bool, port: int | None) -> None:
    """Serve one editor by the Language Server Protocol, until it says that it is done.

    Editors start this by themselves (docs/editors.md has their settings). Needs the extra `lsp`.
    """
    if stdio and port is not None:
        raise click.UsageError("--stdio and --port are two ways: choose one")
    try:
        from pipelang.interfaces.language_server.server import serve
    except ModuleNotFoundError as missing:
        if str(missing.name).partition(".")[0] not in ("cattrs", "lsprotocol", "pygls"):
            raise
        install = "pip install 'pipelang-dsl[lsp]', or in a clone pip install -e '.[lsp]'"
        stop("the language server needs pygls", help=install)
    try:
        code = serve(port)
    except OSError as problem:
        if port is None:
            raise
        stop(f"port {port} cannot be served: {problem.strerror or problem}")
    # Nothing is left to do, and a thread that still waits for the editor would wait for ever.
    os._exit(code)
