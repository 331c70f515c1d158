"""Checked files as text: what was found, then each pipeline, then one line to close."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipelang.diagnostics import Diagnostic, Label, Severity, Sources
from pipelang.diagnostics.columns import for_people, one_line, wrap
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.check import Checked, review_loads
from pipelang.interfaces.text.colours import painter
from pipelang.interfaces.text.number_format import listed, plural
from pipelang.records import replace

WIDTH = 100


def report_text(
    checked: Sequence[Checked],
    extra: Sequence[Diagnostic] = (),
    *,
    width: int = WIDTH,
    colour: bool = False,
    verbose: bool = False,
) -> str:
    """The whole text report over some files; `extra` are findings that belong to no file.

    Findings come first, since they are what somebody has to act on; then each pipeline, on a screen
    or in full.
    """
    told = dict[Diagnostic, None]()
    blocks: list[str] = []
    for one in checked:
        new = [diagnostic for diagnostic in one.diagnostics if diagnostic not in told]
        told.update(dict.fromkeys(new))
        blocks += diagnostics_text(new, one.sources, colour, width, verbose)
    blocks += diagnostics_text(extra, {}, colour, width)
    pipelines = [line for one in checked for line in _pipelines(one, width, colour, verbose)]
    blocks += pipelines
    blocks += review_text(checked, width, colour, verbose)
    paint = painter(colour)
    everything = [*told, *extra]
    style = "bad" if any(d.is_error for d in everything) else "unsure" if everything else "good"
    closing = [paint(closing_line(everything, len(checked)), style)]
    if pipelines and not verbose and any(one.analyses for one in checked):
        from pipelang.interfaces.report.summary import MORE

        closing[:0] = [paint(line, "dim") for line in wrap(MORE, width)]
    return for_people("\n\n".join([*blocks, "\n".join(closing)]) + "\n", colour)


def _pipelines(one: Checked, width: int, colour: bool, verbose: bool) -> Iterator[str]:
    """Sections of each pipeline of a file, or a screen. Imported late: most is only needed here."""
    if verbose:
        yield from _in_full(one, width, colour)
    elif one.analyses:
        from pipelang.interfaces.report.sections.others import leading, others
        from pipelang.interfaces.report.summary import summary_text

        first = leading(one)
        yield "\n".join(summary_text(one, first, width, colour))
        rest = others(one, first, width, painter(colour))
        if rest:
            yield "\n".join(rest)
    if one.program is not None and not one.analyses:
        yield f"{one_line(one.path)}: no pipeline in it, so there is nothing to work out"


def _in_full(one: Checked, width: int, colour: bool) -> Iterator[str]:
    legend = True
    for analysis in one.analyses:
        from pipelang.interfaces.report.heading import has_table
        from pipelang.interfaces.report.pipeline import pipeline_text

        yield "\n".join(pipeline_text(one, analysis, width, colour, legend))
        legend = legend and not has_table(analysis)


def review_text(
    checked: Sequence[Checked], width: int, colour: bool, verbose: bool = True
) -> list[str]:
    """The queues of people over all pipelines; none where nobody is sent anything."""
    if not any(analysis.asked for one in checked for analysis in one.analyses):
        return []
    from pipelang.interfaces.report.sections.review import review

    lines = review(review_loads(checked), width, painter(colour), verbose)
    return ["\n".join(lines)] if lines else []


def diagnostics_text(
    found: Iterable[Diagnostic],
    sources: Sources,
    colour: bool,
    width: int = WIDTH,
    verbose: bool = False,
) -> list[str]:
    """Each finding with its line of source, the errors first.

    A path of several places takes a line a place, and is told once, unless it is `verbose`.
    """
    ranked = sorted(found, key=lambda diagnostic: not diagnostic.is_error)
    if verbose:
        return [as_text(one, sources, colour, width) for one in ranked]
    paths: dict[tuple[Label, ...], Diagnostic] = {}
    texts = []
    for one in ranked:
        first = paths.setdefault(one.labels, one) if len(one.labels) > 1 else one
        if first is not one and first.span is not None and first.span.file in sources:
            line = sources[first.span.file].position(first.span.start).line
            words = f"by the way that is shown above, at line {line}"
            one = replace(one, labels=(Label(one.labels[0].span, words),))
        texts.append(as_text(one, sources, colour, width, path_in_lines=True))
    return texts


def closing_line(found: Sequence[Diagnostic], files: int) -> str:
    """`2 errors, 1 warning in 3 files`"""
    where = f" in {plural(files, 'file')}" if files > 1 else ""
    counts = [
        (sum(d.severity is severity for d in found), severity.value)
        for severity in (Severity.ERROR, Severity.WARNING)
    ]
    said = listed([plural(number, word) for number, word in counts if number], "and")
    return f"{said or 'no errors, no warnings'}{where}"
