"""A checked file as text: each of its pipelines, then what was found, then one line to close."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelang.diagnostics import Diagnostic, Severity, Sources
from pipelang.diagnostics.columns import for_people
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.check import Checked, review_loads
from pipelang.interfaces.text.colours import painter
from pipelang.interfaces.text.number_format import listed, plural

WIDTH = 100


def report_text(
    checked: Sequence[Checked],
    extra: Sequence[Diagnostic] = (),
    *,
    width: int = WIDTH,
    colour: bool = False,
    verbose: bool = False,
) -> str:
    """The whole text report over some files; `extra` are findings that belong to no file."""
    legend, told = True, dict[Diagnostic, None]()
    blocks: list[str] = []
    for one in checked:
        for analysis in one.analyses:
            # Imported late: where a file has errors, nothing of this is needed.
            from pipelang.interfaces.report.pipeline import has_table, pipeline_text

            lines = pipeline_text(one, analysis, width, colour, verbose, legend)
            legend = legend and not has_table(analysis)
            blocks.append("\n".join(lines))
        if len(checked) == 1:
            blocks += review_text(checked, width, colour)
        new = [diagnostic for diagnostic in one.diagnostics if diagnostic not in told]
        told.update(dict.fromkeys(new))
        blocks += diagnostics_text(new, one.sources, colour, one.program is not None, width)
        if one.program is not None and not one.analyses:
            blocks.append(f"{one.path}: no pipeline in it, so there is nothing to work out")
    if len(checked) > 1:
        blocks += review_text(checked, width, colour)
    blocks += diagnostics_text(extra, {}, colour, True, width)
    everything = [*told, *extra]
    closing = closing_line(everything, len(checked))
    style = "bad" if any(d.is_error for d in everything) else "unsure" if everything else "good"
    return for_people("\n\n".join([*blocks, painter(colour)(closing, style)]) + "\n", colour)


def review_text(checked: Sequence[Checked], width: int, colour: bool) -> list[str]:
    """The queues of people over all pipelines; none where nobody is sent anything."""
    if not any(analysis.asked for one in checked for analysis in one.analyses):
        return []
    from pipelang.interfaces.report.sections.review import review

    lines = review(review_loads(checked), width, painter(colour))
    return ["\n".join(lines)] if lines else []


def diagnostics_text(
    found: Iterable[Diagnostic], sources: Sources, colour: bool, in_order: bool, width: int = WIDTH
) -> list[str]:
    """Each finding with its line of source; errors first where there is no program."""
    ranked = list(found)
    if not in_order:
        ranked.sort(key=lambda diagnostic: not diagnostic.is_error)
    return [as_text(one, sources, colour, width) for one in ranked]


def closing_line(found: Sequence[Diagnostic], files: int) -> str:
    """`2 errors, 1 warning in 3 files`"""
    where = f" in {plural(files, 'file')}" if files > 1 else ""
    counts = [
        (sum(d.severity is severity for d in found), severity.value)
        for severity in (Severity.ERROR, Severity.WARNING)
    ]
    said = listed([plural(number, word) for number, word in counts if number], "and")
    return f"{said or 'no errors, no warnings'}{where}"
