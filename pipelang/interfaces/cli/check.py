"""`pipelang check`: findings and the reliability report."""

from __future__ import annotations

import click

from pipelang.interfaces.cli.check_line import FORMATS, PROFILES, CheckLine, listed_codes
from pipelang.interfaces.cli.checked import check


@click.command(name="check", short_help="Say how pipelines will behave, before anything runs.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="How to print it; everything but text is for machines.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="How much is demanded of a pipeline; without it what pyproject.toml says, or demo.",
)
@click.option("--select", multiple=True, metavar="CODES", help="Tell these only: P5,P701.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Do not tell these: P5,P701.")
@click.option("--verbose", is_flag=True, help="Leave nothing out of the text report.")
@click.option(
    "--no-cache", "cache", is_flag=True, flag_value=False, default=True, help="Check anew."
)
@click.option("--fix", is_flag=True, help="Mend first what can be mended safely.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and write nothing.")
@click.option(
    "--import-tools",
    "import_tools",
    is_flag=True,
    help="Import the Python tools too, and compare them with what is declared of them.",
)
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    form: str,
    strict: bool,
    profile: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    verbose: bool,
    cache: bool,
    fix: bool,
    diff: bool,
    import_tools: bool,
) -> None:
    """Check files or folders (the current one by default), and report on every pipeline.

    Nothing is run, and nothing imported but with --import-tools. Exit code 0 if there are no errors
    (with --strict: no warnings either), 1 if there are, 2 if a path is not there or
    the configuration is wrong.
    """
    line = CheckLine(
        paths=paths,
        form=form,
        strict=strict,
        profile=profile,
        select=listed_codes(select),
        ignore=listed_codes(ignore),
        verbose=verbose,
        cache=cache,
        import_tools=import_tools,
    )
    if fix or diff:
        from pipelang.interfaces.cli.check_fix import fix as mend
        from pipelang.interfaces.profiles.config import Asked

        changed = mend(paths, diff, Asked(profile, line.select, line.ignore))
        if diff:
            ctx.exit(1 if changed else 0)
    ctx.exit(check(line))
