"""`pipelang check`: findings and the reliability report."""

from __future__ import annotations

import click

from pipelang.interfaces.cli.check.command_line import FORMATS, PROFILES, CheckLine, listed
from pipelang.interfaces.cli.check.entry import check


def _a_number(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """The value of `--time-limit`; `nan` is between no bounds, so click lets it pass."""
    if value is not None and value != value:
        raise click.BadParameter("expected seconds, found `nan`")
    return value


@click.command(name="check", short_help="Say how pipelines will behave, before anything runs.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, "html", "markdown")),
    default="text",
    help="How to print it: html is a page with pictures; json, sarif and github are for machines, "
    "markdown goes with --against.",
)
@click.option("-o", "--output", "out", metavar="OUT", help="A file for html; else standard output.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="How much is demanded of a pipeline; without it what pyproject.toml says, or demo.",
)
@click.option("--select", multiple=True, metavar="CODES", help="Tell these only: P5,P701.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Do not tell these: P5,P701.")
@click.option(
    "--assume",
    multiple=True,
    metavar="NAME=SHARE",
    help="Take this for what nobody declared: accuracy=95%,transient=1%.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    callback=_a_number,
    metavar="SECONDS",
    help="Counted work for the figures of each pipeline (10); beyond it, bounds.",
)
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    metavar="TIER=TIER",
    help="Let a tier stand in for another: haiku=local_small, of the file or a library.",
)
@click.option("--verbose", is_flag=True, help="Leave nothing out of the report, advice included.")
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
@click.option(
    "--against",
    metavar="REV|FILE",
    help="Show what differs from another file, or from a git revision of these.",
)
@click.option(
    "--explain-number",
    "explain_number",
    metavar="NAME",
    help="Derive one number of the report, step by step: success, cost.mean, review.load.ROLE.",
)
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    form: str,
    out: str | None,
    strict: bool,
    profile: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    assume: tuple[str, ...],
    time_limit: float | None,
    tiers: tuple[str, ...],
    verbose: bool,
    cache: bool,
    fix: bool,
    diff: bool,
    import_tools: bool,
    against: str | None,
    explain_number: str | None,
) -> None:
    """Check files or folders (the current one by default), and report on every pipeline.

    Nothing is run, and nothing imported but with --import-tools. Exit code 0 if there are no errors
    (with --strict: no warnings either), 1 if there are, 2 if a path is not there or
    the configuration is wrong.

    --assume says what to take for figures that nobody declared: accuracy, available, correlation,
    hits, recovers, succeeds, transient, and hard, the share of hard cases where rates know such.
    They count as assumed; what is declared stays as it is.

    --time-limit is counted in units of work, those of so many seconds on the machine of the
    benchmark page, so a report is the same on every machine. What does not fit is bounded.

    With --against, what a change does to success, errors, escalations, cost and promises is shown
    instead, with 95% intervals of the differences: as text, as JSON (`against` in the report), or
    as Markdown for a comment on a pull request. REV is read from git with all that the files of it
    import and measure; evidence that did not change is drawn once for both sides. The exit code is
    that of the files as they are.
    """
    line = CheckLine(
        paths=paths,
        form=form,
        strict=strict,
        profile=profile,
        select=listed(select),
        ignore=listed(ignore),
        verbose=verbose,
        cache=cache,
        import_tools=import_tools,
        assume=listed(assume),
        time_limit=time_limit,
        tiers=listed(tiers),
    )
    if fix or diff:
        from pipelang.interfaces.check.profiles.config import CheckSettings
        from pipelang.interfaces.cli.check.fix import fix as mend

        changed = mend(paths, diff, CheckSettings(profile, line.select, line.ignore))
        if diff:
            ctx.exit(1 if changed else 0)
    if explain_number is not None:
        from pipelang.interfaces.cli.check.explain_number import check_explain

        ctx.exit(check_explain(line, explain_number))
    if against is not None:
        from pipelang.interfaces.cli.check.against import check_against

        ctx.exit(check_against(line, against))
    if form == "html":
        from pipelang.interfaces.cli.check.html import check_html

        ctx.exit(check_html(line, out))
    if out is not None:
        raise click.UsageError("--output goes with --format html")
    if form == "markdown":
        raise click.UsageError("--format markdown goes with --against REV|FILE")
    ctx.exit(check(line))
