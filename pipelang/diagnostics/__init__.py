"""Diagnostics: places in files, the table of codes, findings and their renderings.

This layer knows nothing of the language: a pass hands in a rule of the table, a span and the words.
"""

from pipelang.diagnostics.codes import RULES, Rule, Severity
from pipelang.diagnostics.diagnostic import (
    Diagnostic,
    Edit,
    Help,
    Label,
    SafeFix,
    has_errors,
    report,
)
from pipelang.diagnostics.source import Source, Sources, Span

__all__ = [
    "RULES",
    "Diagnostic",
    "Edit",
    "Help",
    "Label",
    "Rule",
    "SafeFix",
    "Severity",
    "Source",
    "Sources",
    "Span",
    "has_errors",
    "report",
]
