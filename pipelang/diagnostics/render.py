"""Findings for people and for machines: text, JSON, GitHub annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from pipelang.diagnostics.codes import Severity
from pipelang.diagnostics.columns import ACTS, cells_of, harmless, one_line, wrap
from pipelang.diagnostics.diagnostic import Diagnostic, Edit, Label
from pipelang.diagnostics.excerpt import Paint, excerpt, gutter_of
from pipelang.diagnostics.source import Sources, Span

WIDTH = 100
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_LABEL = "34"


def as_json(diagnostic: Diagnostic, sources: Sources) -> dict[str, Any]:
    """The documented record of a finding; lines and columns from 1."""
    span = diagnostic.span
    source = sources.get(span.file) if span is not None else None
    start = source.position(span.start) if source is not None and span is not None else None
    end = source.position(span.end) if source is not None and span is not None else None
    return {
        "code": diagnostic.rule.code,
        "name": diagnostic.rule.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "file": span.file if span is not None else None,
        "line": start.line if start else None,
        "column": start.column if start else None,
        "end_line": end.line if end else None,
        "end_column": end.column if end else None,
    }


def edit_json(edit: Edit, sources: Sources) -> dict[str, Any]:
    """The documented record of a change of a file's text; lines and columns from 1."""
    source = sources[edit.span.file]
    line, column = source.position(edit.span.start)
    end_line, end_column = source.position(edit.span.end)
    return {
        "file": edit.span.file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "replacement": edit.replacement,
    }


def in_words(diagnostic: Diagnostic) -> str:
    """The message of a finding and its help, for places that do not show the source."""
    return diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")


def as_text(
    diagnostic: Diagnostic,
    sources: Sources,
    colour: bool = False,
    width: int = WIDTH,
    path_in_lines: bool = False,
) -> str:
    """A finding with its line of source, an underline, its labels and its help.

    `path_in_lines` shows several labels as one line each, without the source. Nothing that stands
    in a file, or in a message about it, can act on the terminal.
    """

    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour and text else text

    rule, span = diagnostic.rule, diagnostic.span
    tone = _COLOURS[diagnostic.severity]
    labels = [label for label in diagnostic.labels if label.span.file in sources]
    spans = [label.span for label in labels]
    if span is not None and span.file in sources:
        spans.append(span)
    gutter = gutter_of(sources, spans)

    kind = f"{diagnostic.severity.value}[{rule.code}]"
    first, *more = _lines(f"{kind}: {diagnostic.message}", width, 0, 4)
    lines = [paint(f"1;{tone}", kind) + paint("1", first[len(kind) :])]
    lines += [paint("1", line) for line in more]
    if span is not None and span.file in sources:
        lines += excerpt(
            sources[span.file], span, sign="^", tone=tone, gutter=gutter, width=width, paint=paint
        )
    for label in labels:
        if path_in_lines and (len(labels) > 1 or label.span == span):
            lines += _paragraph("note", _LABEL, _with_place(label, sources, span), width, paint)
            continue
        lines += _paragraph("note", _LABEL, label.text, width, paint)
        lines += excerpt(
            sources[label.span.file],
            label.span,
            sign="-",
            tone=_LABEL,
            gutter=gutter,
            width=width,
            paint=paint,
        )
    if diagnostic.help:
        lines += _paragraph("help", "36", diagnostic.help, width, paint)
    return "\n".join(lines)


def _with_place(label: Label, sources: Sources, near: Span | None) -> str:
    """A label with its line, and its file where that is another than the finding's."""
    line = sources[label.span.file].position(label.span.start).line
    here = near is not None and near.file == label.span.file
    return f"{label.text} ({'line ' if here else one_line(label.span.file) + ':'}{line})"


def _paragraph(head: str, tone: str, text: str, width: int, paint: Paint) -> list[str]:
    first, *more = _lines(f"{head}: {text}", width, 2, 8)
    return [f"  {paint(tone, head)}{first[2 + len(head) :]}", *more]


def _lines(text: str, width: int, indent: int, hanging: int) -> list[str]:
    """A text in lines; one that fits into a line stands as it is."""
    text = harmless(text)
    if "\n" not in text and indent + cells_of(text) <= width:
        return [" " * indent + text]
    return wrap(text, width, indent, hanging)


def as_github(diagnostic: Diagnostic, sources: Sources, root: str | None = None) -> str:
    """A workflow command that GitHub shows beside the line.

    GitHub knows files from the root of the repository: absolute ones below `root` are named so.
    """
    record = as_json(diagnostic, sources)
    level = "notice" if diagnostic.severity is Severity.NOTE else diagnostic.severity.value
    text = harmless(in_words(diagnostic))
    place = ""
    if record["file"] is not None:
        place = f" file={_property(one_line(_below(record['file'], root)))}"
    if record["line"] is not None:
        place += (
            f",line={record['line']},col={record['column']},"
            f"endLine={record['end_line']},endColumn={record['end_column']},"
            f"title={diagnostic.rule.code}"
        )
    return f"::{level}{place}::{_data(text)}"


def _below(file: str, root: str | None) -> str:
    from pathlib import PurePath

    path = PurePath(file)
    if root is not None and path.is_absolute() and path.is_relative_to(root):
        path = path.relative_to(root)
    return path.as_posix()


def _data(text: str) -> str:
    """Escaped as GitHub's own toolkit does: actions/toolkit, packages/core/src/command.ts."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def dumps(
    value: Any,
    *,
    indent: int | None = 2,
    default: Callable[[Any], Any] | None = None,
    allow_nan: bool = False,
) -> str:
    """JSON as pipelang prints it: indented, UTF-8, no NaN.

    What would act on a terminal, or in the log of a workflow, is written as an escape: it stands in
    strings only, and means the same.
    """
    text = json.dumps(
        value, indent=indent, ensure_ascii=False, allow_nan=allow_nan, default=default
    )
    if text.isascii() and "\x7f" not in text and "##" not in text:
        return text
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


_TO_ESCAPE = re.compile(f"{ACTS.pattern}|(?<=#)#")
