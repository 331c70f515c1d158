"""Columns that line up, bars, and wrapped text. Layout is worked out before anything is painted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

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


INDENT, GAP = 2, 2
FOLDED = 4
"""The indent of what of a row stands on lines below it."""

LEAST, LEAST_WHOLE = 8, 24
"""Columns that the last column of a line gets at least, where it is cut and where it is wrapped."""


def lay_out(
    rows: Sequence[Row],
    align: str,
    paint: Paint,
    *,
    width: int,
    whole: bool = False,
) -> list[str]:
    """Rows as lines. `align` has a `<` or `>` for each column; columns without text are left out.

    A last column that is longer than the line allows is cut, with an ellipsis, or wrapped if
    `whole`. Where there is not room for all columns, those that are left go to lines of their own
    below each row.
    """
    laid = by_row(rows, align, paint, width=width, whole=whole)
    return [line for lines in laid for line in lines]


def by_row(
    rows: Sequence[Row],
    align: str,
    paint: Paint,
    *,
    width: int,
    whole: bool = False,
) -> list[list[str]]:
    """The lines of `lay_out`, row by row."""
    cells = [[_cell(part) for part in row] for row in rows]
    used = [index for index in range(len(align)) if any(row[index].text for row in cells)]
    widths = {index: max(cells_of(row[index].text) for row in cells) for index in used}
    needs = {
        index: min(widths[index], LEAST_WHOLE if whole else LEAST)
        if index == used[-1] or (whole and align[index] == "<")
        else widths[index]
        for index in used
    }
    folds = _folds(needs, widths, width)
    laid = []
    for row in cells:
        lines: list[str] = []
        for number, columns in enumerate(folds):
            if number and not any(row[index].text for index in columns):
                continue
            indent = FOLDED if number else INDENT
            cut_off = not whole and columns[-1] == used[-1]
            lines += _line(row, columns, align, widths, paint, indent, width, cut_off)
        laid.append(lines)
    return laid


def _folds(needs: dict[int, int], widths: dict[int, int], width: int) -> list[list[int]]:
    """The columns of each line of a row: as many as there is room for."""
    folds: list[list[int]] = [[]]
    at = INDENT
    for index, need in needs.items():
        if folds[-1] and at + need > width:
            folds.append([])
            at = FOLDED
        folds[-1].append(index)
        at += widths[index] + GAP
    return folds


def _line(
    row: Sequence[Cell],
    columns: list[int],
    align: str,
    widths: dict[int, int],
    paint: Paint,
    indent: int,
    width: int,
    cut_off: bool,
) -> list[str]:
    """A row's cells in these columns; more lines than one if the last of them is wrapped."""
    line, at, below = " " * indent, indent, list[str]()
    for index in columns:
        cell, last = row[index], index == columns[-1]
        text, room = cell.text, max(LEAST, width - at)
        if last and cells_of(text) > room:
            if cut_off:
                text = cut(text, room)
            else:
                text, *below = wrap(text, room) or [""]
        blank = " " * (min(widths[index], room) - cells_of(text))
        if align[index] == ">":
            line += blank + paint(text, cell.style)
        else:
            line += paint(text, cell.style) + ("" if last else blank)
        if not last:
            line += " " * GAP
            at += widths[index] + GAP
    more = [" " * at + paint(text, row[columns[-1]].style) for text in below]
    return [line.rstrip(), *more]


def _cell(part: Cell | str) -> Cell:
    return Cell(part) if isinstance(part, str) else part


def cut(text: str, width: int) -> str:
    """A text in at most `width` columns."""
    if cells_of(text) <= width:
        return text
    # From the front: a name may have a million letters.
    kept = list(takewhile(width.__gt__, accumulate(map(cells_of, text))))
    return text[: len(kept)].rstrip() + "…"


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
