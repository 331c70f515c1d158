"""Columns that line up, bars, and wrapped text. Layout is worked out before anything is painted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelang.diagnostics.columns import cells_of, wrap
from pipelang.interfaces.text.colours import Paint
from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with the style that it is painted in; a bar reaches so far for sure, and at most."""

    text: str
    style: str = ""
    reach: tuple[float, float] | None = None


Row = Sequence[Cell | str]


def lay_out(
    rows: Sequence[Row],
    align: str,
    paint: Paint,
    *,
    width: int,
    whole: bool = False,
) -> list[str]:
    """Rows as lines. `align` has a `<` or `>` for each column; columns without text are left out.

    A last column that is longer than the line allows is cut, with an ellipsis, unless `whole`.
    """
    indent, gap = 2, 2
    cells = [[_cell(part) for part in row] for row in rows]
    used = [index for index in range(len(align)) if any(row[index].text for row in cells)]
    widths = {index: max(cells_of(row[index].text) for row in cells) for index in used}
    lines = []
    for row in cells:
        line, at = " " * indent, indent
        for index in used:
            cell, last = row[index], index == used[-1]
            text = cut(cell.text, max(8, width - at)) if last and not whole else cell.text
            blank = " " * (widths[index] - cells_of(text))
            if align[index] == ">":
                line += blank + paint(text, cell.style)
            else:
                line += paint(text, cell.style) + ("" if last else blank)
            if not last:
                line += " " * gap
                at += widths[index] + gap
        lines.append(line.rstrip())
    return lines


def _cell(part: Cell | str) -> Cell:
    return Cell(part) if isinstance(part, str) else part


def cut(text: str, width: int) -> str:
    """A text in at most `width` columns."""
    if cells_of(text) <= width:
        return text
    while text and cells_of(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + "…"


_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A bar of at most `width` columns; whatever is more than nothing shows."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def range_bar(low: float, high: float, width: int) -> str:
    """A bar up to `low`, with what may be on top of it in a lighter shade."""
    if high <= low:
        return bar(low, width)
    first, last = round(min(1.0, low) * width), round(min(1.0, high) * width)
    return "█" * first + "░" * max(1, last - first)


def labelled(
    parts: Iterable[tuple[str, str]], paint: Paint, *, width: int, style: str = "", label: str = ""
) -> list[str]:
    """Labels with a paragraph each, the paragraphs below one another."""
    rows = list(parts)
    if not rows:
        return []
    column = max(cells_of(name) for name, _ in rows) + 4
    lines = []
    for name, text in rows:
        for number, line in enumerate(wrap(text, width - column)):
            head = f"  {name}".ljust(column) if not number else " " * column
            lines.append((paint(head, label) + paint(line, style)).rstrip())
    return lines
