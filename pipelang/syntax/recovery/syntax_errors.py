"""Selection of syntax errors to report: in the order of places, without follow-up errors."""

from __future__ import annotations

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.syntax.recovery.recovery import CAREFUL, Recovery


def findings(
    source: Source,
    lexical: tuple[Diagnostic, ...],
    built: tuple[Diagnostic, ...],
    recovery: Recovery | None,
) -> tuple[Diagnostic, ...]:
    """All findings, the first hundred of many. `lexical` are those of text that is no token,
    `built` those of tokens that mean nothing.
    """
    parsed: list[Diagnostic] = []
    unsaid = 0
    if recovery is not None:
        limit = recovery.withdrawn
        if limit is not None:
            lexical = tuple(one for one in lexical if one.span and one.span.start < limit)
        parsed, unsaid = recovery.found, max(0, recovery.count - CAREFUL)
    found = list(dict.fromkeys((*lexical, *built, *parsed)))
    found.sort(key=lambda one: one.span.start if one.span is not None else 0)
    more = max(0, len(found) - CAREFUL) + unsaid
    if more:
        end = len(source.text)
        found[CAREFUL:] = [report(codes.MORE_ERRORS, Span(source.name, end, end), count=more)]
    return tuple(found)
