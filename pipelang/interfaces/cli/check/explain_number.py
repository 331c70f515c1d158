"""`pipelang check --explain-number NAME`: how one number of the report comes about."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from pipelang.interfaces.check.check import Checked, review_loads
from pipelang.interfaces.cli.check.command_line import CheckLine
from pipelang.interfaces.cli.check.report import check_all
from pipelang.interfaces.cli.check.settings import settings_of
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.semantics.metrics import (
    COST_BASELINE,
    COST_MEAN,
    COST_WORST,
    ESCALATION,
    LATENCY_P95,
    REVIEW_LOAD,
    SILENT_ERROR,
    SUCCESS,
)

_GROUPS = {"outcomes": "", "escalations": f"{ESCALATION}.", "pipelines": ""}
"""Groups of the JSON report whose numbers have a shorter name too."""


def check_explain(line: CheckLine, asked: str) -> int:
    """Print the derivation of a number of every pipeline that has it; the exit code."""
    if line.form != "text":
        stop(f"--explain-number does not go with --format {line.form}", USAGE, "it prints text")
    checked, missing = check_all(line.paths, asked=settings_of(line))
    for found in missing:
        stop(found.message, USAGE, found.help)
    name = _short(asked)
    blocks = list(_blocks(checked, name))
    if blocks:
        write("\n\n".join("\n".join(block) for block in blocks) + "\n")
        return 0
    if not any(one.analyses for one in checked):
        return _no_pipeline(checked)
    known = list(dict.fromkeys(_known(checked)))
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    some = ", ".join((SUCCESS, SILENT_ERROR, ESCALATION, COST_MEAN, COST_WORST, LATENCY_P95))
    help = f"did you mean {_either(close)}?" if close else f"there are {some} and others"
    stop(f"there is no number `{asked}`", USAGE, help)


def _either(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _short(asked: str) -> str:
    head, _, rest = asked.partition(".")
    return f"{_GROUPS[head]}{rest}" if head in _GROUPS and rest else asked


def _role(name: str) -> str | None:
    """The role whose queue is asked for: by the metric, `review.load.desk`, or by the place in the
    JSON report, `review.desk`, with the name of one of its numbers or without.
    """
    for prefix in (f"{REVIEW_LOAD}.", "review."):
        if name.startswith(prefix):
            found = name.removeprefix(prefix)
            return found.removesuffix(".utilisation").removesuffix(".wait_p95")
    return None


def _blocks(checked: Sequence[Checked], name: str) -> Iterator[list[str]]:
    from pipelang.analysis.metrics.derivation import figure
    from pipelang.interfaces.report.number.explained import explained
    from pipelang.interfaces.report.sections.review import review_explained
    from pipelang.interfaces.report.view import View
    from pipelang.interfaces.text.colours import painter

    width, paint = text_width(sys.stdout), painter(wants_colour(sys.stdout))
    for one in checked:
        for analysis in one.analyses:
            pipeline = analysis.pipeline.name
            mine = _short(name.removeprefix(f"{pipeline}."))
            if figure(analysis, mine) is None or one.program is None:
                continue
            view = View(one.program, analysis, one.sources, width, paint, verbose=True)
            yield explained(view, mine)
    role = _role(name)
    for load in review_loads(checked) if role is not None else ():
        if load.role.name == role:
            yield review_explained(load, width, paint)


def _known(checked: Sequence[Checked]) -> Iterator[str]:
    """Every name that can be asked for."""
    from pipelang.analysis.metrics.derivation import derivable

    for one in checked:
        for analysis in one.analyses:
            tiers = [f'{COST_BASELINE}["{tier}"]' for tier in analysis.baseline]
            names = dict.fromkeys([*analysis.numbers, *derivable(analysis), *tiers])
            yield from names
            yield from (f"{analysis.pipeline.name}.{name}" for name in names)
    yield from (f"{REVIEW_LOAD}.{load.role.name}" for load in review_loads(checked))


def _no_pipeline(checked: Sequence[Checked]) -> int:
    """Tells the errors that keep the files from being analysed; gives the exit code."""
    from pipelang.diagnostics.render import as_text

    width, colour = text_width(sys.stderr), wants_colour(sys.stderr)
    found = [(each, one.sources) for one in checked for each in one.diagnostics if each.is_error]
    if not found:
        stop("no pipeline in it, so there is no number", USAGE)
    warn("\n\n".join(as_text(each, sources, colour, width) for each, sources in found))
    return FINDINGS
