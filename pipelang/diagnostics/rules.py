"""Rules: a row of the table of codes (`codes`), and the register of all of them."""

from __future__ import annotations

from enum import Enum

from pipelang.records import dataclass


class Severity(Enum):
    """The severity of a finding. Errors fail `check`; warnings fail it only with `--strict`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    code: str
    name: str
    severity: Severity
    template: str
    help: str | None = None


RULES: dict[str, Rule] = {}


def row(
    code: str,
    name: str,
    template: str,
    help: str | None = None,
    severity: Severity = Severity.ERROR,
) -> Rule:
    rule = Rule(code, name, severity, template, help)
    if code in RULES:
        raise ValueError(f"{code} stands twice in the table")
    RULES[code] = rule
    return rule
