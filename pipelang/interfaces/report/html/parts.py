"""Tables and pictures of the page, in the shape that the template shows."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.analysis.model.calibration import at_threshold, calibration
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.diagnostics import Diagnostic, Sources
from pipelang.diagnostics.columns import harmless
from pipelang.diagnostics.excerpt import without_secrets
from pipelang.diagnostics.render import as_json
from pipelang.interfaces.export.calibration_svg import calibration_svg
from pipelang.interfaces.export.flow import drawn
from pipelang.interfaces.export.graph import picture
from pipelang.interfaces.export.svg import svg
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.table import Cell, Row
from pipelang.records import dataclass

MOST_NODES = 400
"""A larger graph is no picture that anybody reads."""


@dataclass(frozen=True, slots=True)
class HtmlTable:
    """`head` has the names of the columns, the first of which names the rows; `right` are the
    columns of figures; columns in which nothing stands are left out.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: frozenset[int]


def table(caption: str, head: Sequence[str], align: str, rows: Sequence[Row]) -> HtmlTable | None:
    """A table of rows; None if there are none. `align` has a `<` or `>` for each column."""
    if not rows:
        return None
    cells = [[as_cell(part) for part in row] for row in rows]
    used = [at for at in range(len(align)) if any(row[at].text for row in cells)]
    return HtmlTable(
        caption,
        tuple(head[at] for at in used),
        tuple(tuple(row[at] for at in used) for row in cells),
        frozenset(number for number, at in enumerate(used) if align[at] == ">"),
    )


def as_cell(part: Cell | str) -> Cell:
    return Cell(part) if isinstance(part, str) else part


@dataclass(frozen=True, slots=True)
class HtmlPicture:
    """An SVG of ours, whose texts are escaped where they are drawn; what it shows in words."""

    image: str
    words: str
    is_graph: bool = False


def graph_picture(view: View) -> HtmlPicture | None:
    """The pipeline as it flows."""
    graph = picture(drawn(view.program, [view.pipeline.name]))
    if len(graph.nodes) > MOST_NODES:
        return None
    words = f"The steps, gates and endings of {view.pipeline.name}, in the order in which they run"
    return HtmlPicture(svg(graph), words, is_graph=True)


def curves(view: View) -> list[HtmlPicture]:
    """Calibration curves of the confidences that the pipeline compares with thresholds."""
    used = [name for name in view.program.evidence if f"{name}:bins" in view.analysis.bases]
    if not used:
        return []
    parameters = point_parameters(view.program)
    model = make_model(view.program, view.pipeline, parameters)
    found = []
    for name in used:
        answers = parameters.evidence[name]
        cuts = [at_threshold(answers, cut) for cut in sorted(model.thresholds.get(name, ()))]
        image = calibration_svg(name, calibration(answers), cuts)
        found.append(HtmlPicture(image, f"How often answers are right, by confidence: {name}"))
    return found


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as it reads everywhere: `message` and `help`, and the lines that it is about."""

    severity: str
    code: str
    name: str
    message: str
    help: str
    place: str
    lines: tuple[tuple[int, str], ...]


MOST_LINES = 3


def finding(found: Diagnostic, sources: Sources) -> Finding:
    record = as_json(found, sources)
    place, lines = record["file"] or "", []
    if record["line"] is not None:
        place += f":{record['line']}:{record['column']}"
        text = sources[record["file"]].text.split("\n")
        last = min(record["end_line"], record["line"] + MOST_LINES - 1)
        for number in range(record["line"], last + 1):
            lines.append((number, without_secrets(harmless(text[number - 1]))))
    return Finding(
        found.severity.value,
        found.rule.code,
        found.rule.name,
        harmless(found.message),
        harmless(found.help or ""),
        place,
        tuple(lines),
    )
