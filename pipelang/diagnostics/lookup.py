"""Lookup in the table of codes: by code, name or beginning of a code, with suggestions."""

from __future__ import annotations

import re

from pipelang.diagnostics.codes import RULES, Rule

FAMILIES = {
    "P1": "syntax",
    "P2": "names",
    "P3": "types and units",
    "P4": "flow",
    "P5": "reliability",
    "P6": "cost",
    "P7": "safety",
    "P8": "profiles",
    "P9": "what this version leaves open",
}


def placeholders(template: str) -> str:
    """A template with its blanks as words in capitals."""
    words = re.sub(r"(?<!\{)\{(\w+)(?::[^}]*)?\}(?!\})", lambda blank: blank[1].upper(), template)
    return words.replace("{{", "{").replace("}}", "}")


def find(code: str) -> Rule | None:
    """A rule by its code or name, in whatever case."""
    wanted = code.strip("[]").casefold().replace("_", "-")
    for rule in RULES.values():
        if wanted in (rule.code.casefold(), rule.name):
            return rule
    return None


def nearest(code: str) -> str | None:
    """The code or name that is most like what was asked for."""
    from difflib import get_close_matches

    names = [*RULES, *(rule.name for rule in RULES.values())]
    wanted = code.casefold()
    if re.match(r"p?\d", wanted):  # a code, in which letters are digits gone wrong
        wanted = wanted.upper().translate(str.maketrans("OIL", "011"))
    close = get_close_matches(wanted, names, n=1, cutoff=0.5)
    return close[0] if close else None


def is_selector(word: str) -> bool:
    """Whether a word selects codes: one of them (`P501`), or how some begin (`P5`, `P`)."""
    return word != "" and any(code.startswith(word) for code in RULES)


def meant(word: str) -> str | None:
    """A help line for a word that selects nothing: the code that was most likely meant."""
    if is_selector(word.upper()):
        return f"did you mean `{word.upper()}`?"
    rule = find(word)
    if rule is None:
        close = nearest(word)
        rule = None if close is None else find(close)
    return "`pipelang explain` lists all" if rule is None else f"did you mean `{rule.code}`?"
