"""`pipelang check --format html`: the report as one page, for a browser or a printer."""

from __future__ import annotations

from pipelang.interfaces.cli.check.command_line import CheckLine
from pipelang.interfaces.cli.check.report import check_all, counts
from pipelang.interfaces.cli.check.settings import settings_of
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import deliver, stop


def check_html(line: CheckLine, out: str | None) -> int:
    """Write the page; the exit code is that of a check."""
    from pipelang.interfaces.report.html.page import report_html

    checked, missing = check_all(line.paths, asked=settings_of(line))
    for found in missing:
        stop(found.message, USAGE, found.help)
    deliver(report_html(checked), out)
    every = [diagnostic for one in checked for diagnostic in one.diagnostics]
    return FINDINGS if any(counts(one, line.strict) for one in every) else 0
