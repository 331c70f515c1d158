"""A finding: a rule of the table, a place, and the words that fit this case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipelang.diagnostics.codes import Rule, Severity
from pipelang.diagnostics.source import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains the first."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `span` is None only where there is no file to point into."""

    rule: Rule
    message: str
    span: Span | None
    help: str | None = None
    labels: tuple[Label, ...] = ()

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
    help: str | None = None,
    labels: tuple[Label, ...] = (),
    **words: object,
) -> Diagnostic:
    """Fill the rule's template with `words`; `help` replaces the rule's own help line."""
    text = help if help is not None else (rule.help.format(**words) if rule.help else None)
    return Diagnostic(rule, rule.template.format(**words), span, text, labels)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether one of them is an error."""
    return any(diagnostic.is_error for diagnostic in diagnostics)
