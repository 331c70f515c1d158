"""Comments that ignore findings: `# pipelang: ignore[P501, P7]` at the end of the line they are on.

The line of a finding is the one where it begins. A comment on the last line of an item, a signature
or a small declaration speaks for all its lines: so that one behind a line that grew too long still
means the same when `fmt` has broken the line and put the comment behind the last part.

A comment is held to what it says: a code that is none is an error, one that nothing is found of is
a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelang.diagnostics import Diagnostic, Edit, Source, Span, codes, report
from pipelang.diagnostics.lookup import is_selector, meant
from pipelang.records import dataclass
from pipelang.syntax import ast

_SPEAKS = re.compile(r"#\s*pipelang:\s*(?P<word>[\w-]*)\s*(?P<rest>\[[^\]]*\]?)?")
"""A comment that is meant for pipelang. Prose that only begins like one does not match."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A code of a comment, with its place; it speaks for the lines `since` to `line`.

    `rest` is what to delete if the comment says no more, None where other words stand with it.
    """

    code: str
    since: int
    line: int
    span: Span
    own_line: bool
    rest: Span | None

    def covers(self, code: str, line: int) -> bool:
        """Whether it ignores a finding of a code that begins on a line."""
        return self.since <= line <= self.line and code.startswith(self.code)


def ignores(source: Source) -> tuple[tuple[Ignored, ...], tuple[Diagnostic, ...]]:
    """The comments of a file that ignore something, and what is wrong with them."""
    if "pipelang:" not in source.text:
        return (), ()
    from pipelang.syntax.parse import parse_kept

    ignored: list[Ignored] = []
    found: list[Diagnostic] = []
    read = parse_kept(source)
    extents = _extents(source, read.module)
    for comment in read.tokens.comments:
        hit = _SPEAKS.search(comment.text)
        if hit is None or not _is_meant(hit):
            continue
        place = Span(source.name, comment.start + hit.start(), comment.start + hit.end())
        why = _mistake(hit)
        if why is not None:
            found.append(report(codes.BAD_IGNORE, place, why=why, help=_HELP))
            continue
        line = source.position(comment.start).line
        alone = len(hit[0]) == len(comment.text)
        rest = _with_spaces(source, comment.start, place.end) if alone else None
        start = comment.start + hit.start("rest") + 1
        for part in hit["rest"][1:-1].split(","):
            word = part.strip()
            at = start + len(part) - len(part.lstrip())
            span = Span(source.name, at, at + len(word))
            start += len(part) + 1
            if is_selector(word):
                since = line if comment.own_line else extents.get(line, line)
                ignored.append(Ignored(word, since, line, span, comment.own_line, rest))
            else:
                why = f"there is no code `{word}`"
                found.append(report(codes.BAD_IGNORE, span, why=why, help=meant(word)))
    return tuple(ignored), tuple(found)


def _extents(source: Source, module: ast.Module) -> dict[int, int]:
    """From the last line of whatever takes several to its first: items, signatures, declarations.

    What holds other items (a pipeline, a branch) counts up to where they begin.
    """
    extents: dict[int, int] = {}

    def add(start: int, end: int) -> None:
        first, last = source.position(start).line, source.position(end).line
        if first < last:
            extents[last] = min(first, extents.get(last, first))

    def inside(items: Iterable[ast.Item]) -> None:
        for item in items:
            match item:
                case ast.When():
                    add(item.span.start, item.condition.span.end)
                    inside((*item.then, *(item.otherwise or ())))
                case ast.MatchItem():
                    add(item.span.start, item.subject.span.end)
                    for arm in item.arms:
                        if isinstance(arm, ast.MatchItemArm):
                            inside(arm.items)
                case _:
                    add(item.span.start, item.span.end)

    for declaration in module.declarations:
        if isinstance(declaration, ast.PipelineDecl):
            add(declaration.span.start, declaration.returns.span.end)
            inside(declaration.items)
        else:
            add(declaration.span.start, declaration.span.end)
    return extents


_HELP = "write `# pipelang: ignore[P501]`, with the codes that are meant"


def _is_meant(hit: re.Match[str]) -> bool:
    """Whether this is a comment for us, or prose about pipelang."""
    from difflib import SequenceMatcher

    word = hit["word"].casefold()
    near = SequenceMatcher(None, word, "ignore").ratio() >= 0.7
    return near or (hit["rest"] is not None and is_selector(hit["rest"][1:2]))


def _mistake(hit: re.Match[str]) -> str | None:
    if hit["word"] != "ignore":
        return f"expected `ignore`, found `{hit['word']}`" if hit["word"] else "expected `ignore`"
    if hit["rest"] is None or not hit["rest"].strip("[] \t"):
        return "it names no code"
    if not hit["rest"].endswith("]"):
        return "its `[` is never closed"
    if any(not part.strip() for part in hit["rest"][1:-1].split(",")):
        return "a code is missing beside a comma"
    return None


def _with_spaces(source: Source, start: int, end: int) -> Span:
    """A comment with the spaces before it."""
    while start > 0 and source.text[start - 1] in " \t":
        start -= 1
    return Span(source.name, start, end)


def unused(
    ignored: Iterable[Ignored], used: Iterable[Ignored], asleep: Iterable[str]
) -> list[Diagnostic]:
    """Ignored codes that were not found. Codes that this check does not look for (`asleep`) may be
    found by another, so a comment that covers one of them is let be.
    """
    everything, taken, sleeping = list(ignored), set(used), tuple(asleep)
    idle = [
        one
        for one in everything
        if one not in taken and not any(code.startswith(one.code) for code in sleeping)
    ]
    found = []
    for one in idle:
        rest, siblings = one.rest, [other for other in everything if other.rest == one.rest]
        whole = rest is not None and all(other in idle for other in siblings)
        edits = (Edit(rest, ""),) if whole and rest is not None and one == siblings[0] else ()
        help = "move it to the end of the line that it is about" if one.own_line else None
        found.append(report(codes.UNUSED_IGNORE, one.span, code=one.code, help=help, edits=edits))
    return found
