"""A finding: a rule of the table, a place, and the words that fit this case."""

from __future__ import annotations

from collections.abc import Iterable

from pipelang.diagnostics.codes import Rule, Severity
from pipelang.diagnostics.source import Span
from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains the first."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file's text that `check --fix` may make unasked."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class SafeFix:
    """A help line that is plain enough to be carried out.

    `by` is what goes in place of `found`, the letters at the finding's own place; None where only
    a person can know. Letters that do not fill the place are somewhere else, and are left alone.
    """

    words: str
    found: str
    by: str | None = None


Help = str | SafeFix


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `span` is None only where there is no file to point into.

    `edits` are made together or not at all.
    """

    rule: Rule
    message: str
    span: Span | None
    help: str | None = None
    labels: tuple[Label, ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    @property
    def is_error(self) -> bool:
        return self.rule.severity is Severity.ERROR


def report(
    rule: Rule,
    span: Span | None,
    *,
    help: Help | None = None,
    labels: tuple[Label, ...] = (),
    edits: tuple[Edit, ...] = (),
    **words: object,
) -> Diagnostic:
    """Fill the rule's template with `words`; `help` replaces the rule's own help line."""
    if isinstance(help, SafeFix):
        if help.by is not None and span is not None and span.end - span.start == len(help.found):
            edits = (*edits, Edit(span, help.by))
        help = help.words
    text = help if help is not None else (rule.help.format(**words) if rule.help else None)
    return Diagnostic(rule, rule.template.format(**words), span, text, labels, edits)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether one of them is an error."""
    return any(diagnostic.is_error for diagnostic in diagnostics)
