"""The command line as click sees it: a group whose members are imported on demand."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from io import StringIO
from typing import Any

import click

from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.cli.command_list import COMMANDS, module_of
from pipelang.interfaces.cli.exit_codes import INTERRUPTED, NO_READER
from pipelang.interfaces.cli.options.cache import OWN_PROCESS
from pipelang.interfaces.cli.options.file_names import refuse_empty_names
from pipelang.interfaces.cli.terminal import stop_writing, warn
from pipelang.version import __version__


class Commands(click.Group):
    """A group whose members are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(module_of(cmd_name)).command
        refuse_empty_names(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            close = closest(name, COMMANDS)
            hint = f"did you mean `{close}`?" if close else f"there are: {', '.join(COMMANDS)}"
            ctx.fail(f"there is no command `{name}`; {hint}")
        return super().resolve_command(ctx, args)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError:  # as below, of `--help` and `--version`
            stop_writing()
            raise click.exceptions.Exit(NO_READER) from None

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


def _shown(mistake: click.ClickException) -> str:
    """A mistake in a command line as click shows it; it may quote any file's name."""
    held = StringIO()
    mistake.show(held)
    return held.getvalue().removesuffix("\n")


def call(arguments: Sequence[str] | None) -> int:
    """Let click take the line apart and call the command; None takes the process's own."""
    given = None if arguments is None else list(arguments)
    own = OWN_PROCESS if arguments is None else None
    try:
        result = group.main(given, "pipelang", standalone_mode=False, obj=own)
    except click.ClickException as mistake:
        warn(_shown(mistake))
        return mistake.exit_code
    except click.Abort:
        warn("interrupted")
        return INTERRUPTED
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 0 if exit.code is None else 1
    return result if isinstance(result, int) else 0
