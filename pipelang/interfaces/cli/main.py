"""`pipelang`: the commands, each in a module of its own that is imported when it is called.

So `--help` and `--version` load nothing but click. Exit codes: 0 all is well, 1 something was
found, 2 the command was called wrongly, 3 pipelang itself is broken, 130 interrupted, 141 the
reader of the output went away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from pipelang.interfaces.cli.terminal import speak_utf8, stop_writing, warn
from pipelang.version import __version__

COMMANDS = {
    "check": "Say how pipelines will behave, before anything runs.",
    "test": "Run the `test` blocks, without any model.",
    "run": "Run a pipeline, with live progress.",
    "simulate": "Run many simulated runs against the prediction.",
    "fmt": "Bring files into the one layout.",
    "explain": "Say what a code such as P201 means.",
}
"""Every command with its line in `--help`; `pipelang.interfaces.cli.NAME` holds it as `command`."""

INTERNAL_ERROR, INTERRUPTED, NO_READER = 3, 130, 141


class Commands(click.Group):
    """A group whose members are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"pipelang.interfaces.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(COMMANDS)}"
            ctx.fail(f"there is no command `{name}`; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click itself would exit with 1, as if something were found
            stop_writing()
            ctx.exit(NO_READER)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`pipelang COMMAND --help` says more. A first step: pipelang check FILE.pipe",
)
@click.version_option(__version__, "-V", "--version", message="pipelang %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """A small language for AI-agent pipelines: checked before deployment, then run."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code. Never shows a traceback unless PIPELANG_DEBUG is set."""
    speak_utf8()
    try:
        code = _call(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        stop_writing()
        return NO_READER
    except Exception as error:
        if os.environ.get("PIPELANG_DEBUG"):
            raise
        said = " ".join(f"{type(error).__name__}: {error}".split())
        warn(f"pipelang: internal error: {said} (set PIPELANG_DEBUG=1 for the traceback)")
        return INTERNAL_ERROR


def _call(arguments: Sequence[str] | None) -> int:
    """Let click take the line apart and call the command; None takes the process's own."""
    given = None if arguments is None else list(arguments)
    try:
        result = group.main(given, "pipelang", standalone_mode=False)
    except click.ClickException as mistake:
        mistake.show()
        return mistake.exit_code
    except click.Abort:
        warn("interrupted")
        return INTERRUPTED
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 0 if exit.code is None else 1
    return result if isinstance(result, int) else 0
