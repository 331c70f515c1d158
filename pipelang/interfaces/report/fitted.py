"""A fit of hard cases as text and as JSON: what was found, and the lines to paste."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.model.shared_cases import Dependence
from pipelang.analysis.model.two_classes import FittedRate, TwoClasses
from pipelang.interfaces.text.colours import painter
from pipelang.interfaces.text.number_format import percent, plural
from pipelang.interfaces.text.table import lay_out

WIDTH = 100


def fit_text(found: TwoClasses, test: Dependence | None, given: bool) -> str:
    """The text of `pipelang evidence fit`; `given`: the share of hard cases was."""
    lines = [f"{plural(len(found.files), 'file')} share {plural(found.cases, 'case')}"]
    if test is not None:
        chance = f"p = {test.p:.4f}; {test.expected:.1f} expected by chance"
        lines.append(f"pairs of wrong answers at one case: {test.together:,} ({chance})")
    for one in found.left_out:
        count = plural(one.rows, "row")
        lines.append(
            f"left out: {count} of `{one.file}` about no shared case, from line {one.line}"
        )
    exact = f"{100 * found.hard.share:.8f}".rstrip("0").rstrip(".") + "%"
    share = exact if given else _with_error(found.hard)
    lines += [f"hard cases: {share}{' as given' if given else ''}", ""]
    rows = [[file.name, _with_error(file.easy), _with_error(file.hard)] for file in found.files]
    lines += lay_out([["", "not hard", "if hard"], *rows], "<>>", painter(False), width=WIDTH)
    if found.ranges:
        lines += ["", *_open(found)]
    hard = exact if given else _count(found.hard)
    lines += ["", "Paste these", f"  traffic {{ hard: {hard} }}"]
    lines += [
        f"  accuracy {_count(file.easy)}, {_count(file.hard)} if hard   # {file.name}"
        for file in found.files
    ]
    lines += [
        "",
        "Counts are of fewer cases than there are, since nobody saw which of them are hard: what",
        "steps do together is then as sure as the fit is of it. Each figure by itself is less",
        "sure, as its standard error above (±) says. What `correlation` stood for is the hard",
        "cases now: write 0%, or what repeats besides. A gate over a confidence keeps its file:",
        '`{ evidence from "FILE" }`.',
    ]
    return "\n".join(lines) + "\n"


def _open(found: TwoClasses) -> list[str]:
    """The rates that two files leave open, in words."""
    rows = [
        [file.name, *(f"{percent(low)} to {percent(high)}" for low, high in both)]
        for file, both in zip(found.files, found.ranges, strict=True)
    ]
    return [
        "Two files with one answer a case leave a figure open. Taken is that hard cases multiply",
        "the odds of a wrong answer by the same factor in both; as well could be, together:",
        *lay_out([["", "not hard", "if hard"], *rows], "<>>", painter(False), width=WIDTH),
        "How often both are right is the same for all of these; votes and further steps are not. A",
        'third file of the same cases, or second answers ("attempt": 2), would say.',
    ]


def fit_json(found: TwoClasses, test: Dependence | None) -> dict[str, Any]:
    """The same for machines."""
    dependence = None
    if test is not None:
        dependence = {"together": test.together, "expected": test.expected, "p": test.p}
    return {
        "version": 1,
        "cases": found.cases,
        "dependence": dependence,
        "hard": _rate(found.hard),
        "files": [
            {"file": file.name, "easy": _rate(file.easy), "hard": _rate(file.hard)}
            for file in found.files
        ],
        "left_out": [
            {"file": one.file, "rows": one.rows, "line": one.line} for one in found.left_out
        ],
        **({"open": _ranges(found)} if found.ranges else {}),
    }


def _ranges(found: TwoClasses) -> list[dict[str, Any]]:
    """The rates that fit as well, by file."""
    return [
        {"file": file.name, "easy": list(easy), "hard": list(hard)}
        for file, (easy, hard) in zip(found.files, found.ranges, strict=True)
    ]


def _rate(rate: FittedRate) -> dict[str, Any]:
    return {"share": rate.share, "error": rate.error, "good": rate.good, "total": rate.total}


def _with_error(rate: FittedRate) -> str:
    return f"{percent(rate.share)} ± {100 * rate.error:.1f}"


def _count(rate: FittedRate) -> str:
    return f"{rate.good} of {rate.total}"
