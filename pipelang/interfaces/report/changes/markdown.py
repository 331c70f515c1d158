"""The effect of a change, as Markdown for a comment on a pull request.

The first line is a comment that is not shown, by which a bot finds its own comment again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelang.diagnostics.render import as_json, in_words
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
from pipelang.interfaces.text.number_format import listed, of_metric, plural, value
from pipelang.semantics.metrics import COST_MEAN, SILENT_ERROR, SUCCESS

MARK = "<!-- pipelang check --against -->"
_SIGNS = {"good": "🟢", "bad": "🔴", "unsure": "🟡", "people": "🔵"}
MOST = 20
"""Findings of a kind that are told; a comment has an end."""


def against_markdown(found: Against) -> str:
    """The whole comment."""
    parts = [MARK, f"### pipelang: what changes against {_code(place(found))}"]
    for one in found.pipelines:
        parts += _pipeline(one)
    if found.broken:
        parts.append(f"❌ Nothing can be said of {listed([*map(_code, found.broken)])}: errors.")
    parts += _findings("New findings", found.new)
    parts += _findings("Mended", found.mended)
    if not found.new and not found.mended:
        parts.append("No new findings, none mended.")
    said = " ".join(grounds(found))
    if said:
        parts.append(f"<sub>{_text(said)}</sub>")
    return "\n\n".join(parts) + "\n"


def _pipeline(one: PipelineDifference) -> Iterator[str]:
    happened = what_happened(one)
    yield f"#### {_code(one.key)}" + (f", {happened}" if happened else "")
    if one.changes is None:
        entry = one.after or one.before
        assert entry is not None
        said = [
            f"{name} {value(entry.analysis.numbers[name], of_metric(name))}"
            for name in (SUCCESS, SILENT_ERROR, COST_MEAN)
        ]
        yield _text(listed(said)) + "."
        return
    rows = [
        (
            ("&nbsp;&nbsp;" if row.inner else "") + _code(row.name),
            _text(row.before),
            _text(row.after),
            f"**{_text(row.change)}**" + (f" ({_text(row.range)})" if row.range else ""),
            f"{_SIGNS[row.style]} {_text(row.verdict)}",
        )
        for row in changed(one.changes)
    ]
    if rows:
        yield _table(("", "before", "after", "change", ""), "lrrrl", rows)
        same = unchanged(one.changes)
        if same:
            yield f"The same: {listed([*map(_code, same)])}."
    hardly = hardly_changed(one.changes)
    if hardly:
        yield f"By less than 0.05 points, if at all: {listed([*map(_code, hardly)])}."
    if not rows and not hardly:
        yield "No figure changes."
    standing = [promise(line) for line in one.promises if line.changed]
    if standing:
        told = [
            (_code(says), _text(was), f"{_SIGNS[style]} {_text(now)}")
            for says, was, now, style in standing
        ]
        yield _table(("promise", "before", "after"), "lll", told)


def _table(head: Sequence[str], align: str, rows: Sequence[Sequence[str]]) -> str:
    rule = ["--:" if side == "r" else "---" for side in align]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _findings(title: str, found: Sequence[Told]) -> Iterator[str]:
    if not found:
        return
    lines = [f"**{title}** ({len(found):,})", ""]
    for one in found[:MOST]:
        record = as_json(one.found, one.sources)
        where = f" {_code(record['file'])}" if record["file"] else ""
        where += f" line {record['line']}" if record["line"] else ""
        lines.append(f"- {one.found.severity.value} {record['code']}{where}: {_said(one)}")
    if len(found) > MOST:
        lines.append(f"- and {plural(len(found) - MOST, 'more', 'more')}")
    yield "\n".join(lines)


def _said(one: Told) -> str:
    """A message and its mend; what is in backticks is code here too."""
    said = in_words(one.found)
    parts = said.split("`")
    if len(parts) % 2 == 0:
        return _text(said)
    return "".join(_code(part) if at % 2 else _text(part) for at, part in enumerate(parts))


def _text(words: str) -> str:
    """Words that mean nothing to Markdown or HTML, mention nobody and stay on their line."""
    plain = " ".join(words.split())
    escaped = re.sub(r"([\\`*_{}\[\]<>|#~$])", r"\\\1", plain)
    return escaped.replace("@", "@\u200b")


def _code(words: str) -> str:
    plain = " ".join(words.split()).replace("|", "\\|")
    if "`" in plain:
        return f"`` {plain} ``"
    return f"`{plain}`"
