"""A comparison as text: a table a pipeline, promises, findings that are new or gone."""

from __future__ import annotations

from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics.columns import wrap
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.compare import Against, PipelineDifference, Told
from pipelang.interfaces.report.changes.wording import (
    changed,
    grounds,
    hardly_changed,
    place,
    promise,
    unchanged,
    what_happened,
)
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.number_format import listed, of_metric, plural, value
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.semantics.metrics import (
    COST_MEAN,
    COST_WORST,
    ESCALATION,
    FAILURE,
    SILENT_ERROR,
    SUCCESS,
)


def against_text(found: Against, width: int, paint: Paint, colour: bool, verbose: bool) -> str:
    """The whole comparison."""
    blocks = ["\n".join(_pipeline(one, found, width, paint, verbose)) for one in found.pipelines]
    if found.broken:
        said = f"nothing can be said of the pipelines in {listed(found.broken)}, because of errors "
        said += "there; `pipelang check` without --against shows all of them"
        blocks.append("\n".join(paint(line, "bad") for line in wrap(said, width)))
    said = " ".join(grounds(found))
    if said:
        blocks.append("\n".join(paint(line, "dim") for line in wrap(said, width)))
    for one in found.new:
        blocks.append(as_text(one.found, one.sources, colour, width))
    if found.mended:
        blocks.append("\n".join([paint("Mended", "heading"), *map(_short, found.mended)]))
    blocks.append(_closing(found, paint))
    return "\n\n".join(blocks) + "\n"


def _pipeline(
    one: PipelineDifference, found: Against, width: int, paint: Paint, verbose: bool
) -> list[str]:
    against = f"against {place(found)}"
    gap = max(2, width - len(one.key) - len(against))
    lines = [paint(one.key, "title") + " " * gap + paint(against, "dim"), paint("─" * width, "dim")]
    happened = what_happened(one)
    if happened:
        lines.append(happened)
    if one.changes is None:
        return [*lines, *_alone(one, width, paint)]
    rows: list[Row] = [
        [
            ("  " if row.inner else "") + row.name,
            row.before,
            Cell("→", "dim"),
            row.after,
            row.change,
            Cell(row.range, "dim"),
            Cell(row.verdict, row.style),
        ]
        for row in changed(one.changes, verbose)
    ]
    if rows:
        lines += lay_out(rows, "<><<><<", paint, width=width, whole=True)
        same = unchanged(one.changes)
        if same:
            lines += [paint(part, "dim") for part in wrap(f"the same: {listed(same)}", width, 2)]
    hardly = [] if verbose else hardly_changed(one.changes)
    if hardly:
        said = f"by less than 0.05 points, if at all: {listed(hardly)}"
        lines += [paint(part, "dim") for part in wrap(said, width, 2)]
    if not rows and not hardly:
        lines.append("no figure changes")
    standing = [promise(line) for line in one.promises if line.changed]
    if standing:
        told: list[Row] = [
            [says, was, Cell("→", "dim"), Cell(now, style)] for says, was, now, style in standing
        ]
        lines += ["", paint("Promises (slo)", "heading")]
        lines += lay_out(told, "<<<<", paint, width=width, whole=True)
    return lines


def _alone(one: PipelineDifference, width: int, paint: Paint) -> list[str]:
    """The figures of a pipeline that is on one side alone."""
    entry = one.after or one.before
    assert entry is not None
    rows: list[Row] = []
    for name in (SUCCESS, SILENT_ERROR, ESCALATION, FAILURE, COST_MEAN, COST_WORST):
        number: Number = entry.analysis.numbers[name]
        rows.append([name, value(number, of_metric(name))])
    return lay_out(rows, "<>", paint, width=width)


def _short(one: Told) -> str:
    return f"  {one.found.rule.code}  {one.found.message}"


def _closing(found: Against, paint: Paint) -> str:
    new, mended = len(found.new), len(found.mended)
    said = f"{plural(new, 'new finding')}, {plural(mended, 'mended one')}"
    style = "bad" if any(one.found.is_error for one in found.new) else "unsure" if new else "good"
    return paint(said, style)
