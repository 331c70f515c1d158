"""The report on observed runs as text."""

from __future__ import annotations

from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.observation.observation import Observation, moment
from pipelang.interfaces.report.observed.tables import ObservedTable, headline, tables
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.number_format import plural
from pipelang.interfaces.text.table import Cell, lay_out


def observation_text(found: Observation, paint: Paint, width: int) -> str:
    """The report on one pipeline, ending with a line feed."""
    lines = [
        f"{paint(found.pipeline, 'title')}  {plural(found.runs, 'run')} of {found.program[:12]}, "
        f"{moment(found.since)} to {moment(found.until)}, in {found.source}"
    ]
    for said in headline(found):
        style = "bad" if said.startswith(("first difference", "the model")) else ""
        lines += [paint(line, style) for line in wrap(said, width, 2)]
    for table in tables(found):
        lines += ["", *_table(table, paint, width)]
    return "\n".join(lines) + "\n"


def _table(table: ObservedTable, paint: Paint, width: int) -> list[str]:
    lines = [paint(table.title, "heading")]
    if table.rows:
        head = [Cell(name, "dim") for name in table.head]
        rows = [head, *table.rows] if any(table.head) else list(table.rows)
        lines += lay_out(rows, table.align, paint, width=width, whole=True)
    for said in table.said:
        lines += [paint(line, "dim") for line in wrap(said, width, 2)]
    return lines
