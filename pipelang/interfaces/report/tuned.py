"""The result of `tune` as text and as JSON."""

from __future__ import annotations

from os.path import basename
from typing import Any

from pipelang.analysis.tuning.held_out import FOLDS
from pipelang.analysis.tuning.search import Point
from pipelang.analysis.tuning.tune import Tuned
from pipelang.diagnostics import Sources
from pipelang.diagnostics.columns import wrap
from pipelang.diagnostics.render import edit_json
from pipelang.interfaces.report.sections.advice import said
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.number_format import exact_money, listed, of_metric, percent, plural
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.semantics.metrics import COST_MEAN, ESCALATION, FAILURE, SILENT_ERROR, SUCCESS

MOST_ROWS = 12
_MARKS = {True: Cell("✓", "good"), False: Cell("✗", "bad"), None: Cell("?", "unsure")}


def tuned_text(tuned: Tuned, paint: Paint, width: int) -> list[str]:
    """A sentence on the search, the best assignment, the fronts."""
    lines = [paint(tuned.pipeline.name, "title"), paint("─" * width, "dim")]
    for text in (_searched(tuned), _verdict(tuned), *_cheaper(tuned)):
        lines += wrap(text, width)
    if tuned.best is not None and tuned.changes(tuned.best):
        rows: list[Row] = [[name, f"{a} → {b}"] for name, a, b in tuned.changes(tuned.best)]
        lines += ["", paint("Set", "heading"), *lay_out(rows, "<<", paint, width=width)]
    if tuned.best is not None:
        lines += ["", *_figures(tuned, tuned.best, paint, width)]
    if tuned.found.dimensions:
        lines += ["", *_front(tuned, paint, width)]
    if any(one.kind.value in ("threshold", "setting") for one in tuned.found.dimensions):
        lines += ["", *_errors(tuned, paint, width)]
    for text in (*_held_out(tuned), *_notes(tuned)):
        lines += ["", *wrap(text, width)]
    return lines


def _searched(tuned: Tuned) -> str:
    found = tuned.found
    free = len(found.dimensions) - len(found.idle)
    if not found.dimensions:
        return (
            "There is nothing to set: no setting, no threshold with evidence, no step with the "
            "accuracy of several tiers, and nothing that a retry would help."
        )
    text = f"{plural(free, 'figure')} to set, {plural(found.possible, 'combination')}; "
    done = len(found.points)
    if found.complete:
        text += "all of them were worked out."
    else:
        text += f"{done:,} were worked out"
        text += " until you interrupted." if found.interrupted else "."
    if found.idle:
        one = len(found.idle) == 1
        rest = (
            "changes nothing by itself, and stays"
            if one
            else "change nothing by themselves, and stay"
        )
        text += f" {len(found.idle)} more {rest} as {'it is' if one else 'they are'}."
    return text


def _verdict(tuned: Tuned) -> str:
    best, bound = tuned.best, tuned.bound
    if not tuned.pipeline.slo:
        return (
            "It promises nothing: with an `slo` block, the cheapest combination that keeps it is "
            "looked for. Without one, this is what can be had for what."
        )
    if best is None:
        return (
            "None of them keeps every promise. What comes nearest is on the front below; "
            "`pipelang check --verbose` says what else would help."
        )
    text = f"The cheapest that keeps every promise costs {exact_money(best.cost)} a run"
    text += "" if tuned.changes(best) else ", and is the one that is written"
    if not tuned.sure:
        text += " (by the point estimates: the evidence is too thin to be sure)"
    gap = tuned.gap
    if tuned.found.complete and gap == 0 and tuned.sure:
        return f"{text}. None is cheaper."
    if bound is None or gap is None:
        return f"{text}. How much cheaper another could be is not known."
    least = f"none can cost less than {exact_money(bound)}"
    return f"{text}; {least}, which leaves a gap of {percent(gap)}."


def _cheaper(tuned: Tuned) -> list[str]:
    """The cheapest by the point estimates, of which the evidence is not sure."""
    one = tuned.cheaper
    if one is None:
        return []
    changes = ", ".join(f"{name} {after}" for name, _, after in tuned.changes(one))
    return [
        f"By the point estimates alone {exact_money(one.cost)} would do ({changes or 'as it is'}):"
        " of that the evidence is not sure."
    ]


def _figures(tuned: Tuned, best: Point, paint: Paint, width: int) -> list[str]:
    """Now and then, and what becomes of each promise."""
    rows: list[Row] = []
    for name in (SUCCESS, SILENT_ERROR, ESCALATION, FAILURE, COST_MEAN):
        if name in best.figures and name in tuned.now.figures:
            before, after = tuned.now.figures[name], best.figures[name]
            show = of_metric(name)
            same = abs(after - before) <= 1e-7 * max(abs(before), 1e-3)
            told = show(before) if same else said(name, before, after)
            rows.append([name, told, Cell("as it is", "dim") if same else ""])
    lines = [paint("What that does", "heading"), *lay_out(rows, "<<<", paint, width=width)]
    promises: list[Row] = []
    for verdict in tuned.analysis.slo if tuned.analysis is not None else ():
        line = verdict.line
        sure = ""
        if verdict.probability is not None and 0 < verdict.probability < 1:
            sure = f"{percent(verdict.probability)} sure"
        metric = line.metric if line.when is None else f"{line.metric} when {line.when}"
        promises.append([_MARKS[verdict.holds], metric, f"{line.op} {line.target_text}", sure])
    return [*lines, *lay_out(promises, "<<<<", paint, width=width)]


def _front(tuned: Tuned, paint: Paint, width: int) -> list[str]:
    rows = [
        _row(tuned, one, (exact_money(one.cost), f"{SUCCESS} {percent(one.figures[SUCCESS])}"))
        for one in _thinned(tuned, tuned.front)
    ]
    note = paint("  nothing that was worked out is both cheaper and better", "dim")
    head = paint("Success against cost", "heading") + note
    return [head, *lay_out(rows, "<<<<", paint, width=width)]


def _errors(tuned: Tuned, paint: Paint, width: int) -> list[str]:
    rows = [
        _row(
            tuned,
            one,
            (
                f"to people {percent(one.figures[ESCALATION])}",
                f"{SILENT_ERROR} {percent(one.figures[SILENT_ERROR])}",
            ),
        )
        for one in _thinned(tuned, tuned.errors)
    ]
    head = paint("Silent errors against cases for people", "heading")
    return [head, *lay_out(rows, "<<<<", paint, width=width)]


def _row(tuned: Tuned, one: Point, figures: tuple[str, str]) -> Row:
    changes = ", ".join(f"{name} {after}" for name, _, after in tuned.changes(one))
    mark = "best" if tuned.best is not None and one == tuned.best else ""
    return [
        Cell(mark or ("now" if one == tuned.now else ""), "good" if mark else "dim"),
        *figures,
        Cell(changes or "as it is", "dim"),
    ]


def _thinned(tuned: Tuned, points: list[Point]) -> list[Point]:
    """At most so many points, spread over the front, with what is written and what is best."""
    if len(points) <= MOST_ROWS:
        return points
    kept = {round(i * (len(points) - 1) / (MOST_ROWS - 1)) for i in range(MOST_ROWS)}
    return [one for at, one in enumerate(points) if at in kept or one in (tuned.now, tuned.best)]


def _held_out(tuned: Tuned) -> list[str]:
    """The score of the thresholds on rows that did not choose them."""
    found = tuned.held_out
    if found is None:
        return []
    names = listed([basename(name) for name in found.files])
    if found.thin:
        thin = listed([basename(name) for name in found.thin])
        return [
            f"The thresholds were chosen on the rows of {names} that they are scored on, and "
            f"flatter themselves. By how much cannot be said: {thin} has fewer than {FOLDS} wrong "
            "rows."
        ]
    if found.figures is None:
        return []
    said = [
        f"{name} {of_metric(name)(found.figures[name])}"
        for name in (SUCCESS, SILENT_ERROR, ESCALATION)
        if name in found.figures
    ]
    return [
        f"On rows of {names} that did not choose the thresholds ({FOLDS} folds): "
        f"{', '.join(said)}. "
        "The figures above are those of the rows that chose them."
    ]


def _notes(tuned: Tuned) -> list[str]:
    notes = []
    if tuned.cut_now:
        notes.append(
            "As it is written, a budget may cut runs: what is said of that is for runs without "
            "cuts. Combinations in which one may are left out."
        )
    return [*notes, *_untold(tuned)]


def _untold(tuned: Tuned) -> list[str]:
    """The steps whose tiers could not be compared."""
    if not tuned.missing:
        return []
    names = [f"`{name}`" for name in tuned.missing]
    several = len(names) > 1
    return [
        f"The {'tiers' if several else 'tier'} of {listed(names)} could not be compared: how right "
        f"another would be there is not declared. `accuracy haiku 84%, sonnet 92%` says it."
    ]


# -------------------------------------------------------------------------------------- JSON


def tuned_json(tuned: Tuned, sources: Sources) -> dict[str, Any]:
    """The same for machines."""
    found = tuned.found
    return {
        "dimensions": [
            {
                "kind": one.kind.value,
                "name": one.name,
                "values": [choice.shown for choice in one.choices],
                "now": one.choices[one.now].shown,
            }
            for one in found.dimensions
        ],
        "searched": {
            "possible": found.possible,
            "worked_out": len(found.points),
            "complete": found.complete,
            "interrupted": found.interrupted,
        },
        "now": {**_point(tuned, tuned.now), **({"cut": True} if tuned.cut_now else {})},
        "best": None if tuned.best is None else {**_point(tuned, tuned.best), "sure": tuned.sure},
        "at_point": None if tuned.cheaper is None else _point(tuned, tuned.cheaper),
        "held_out": _held_out_json(tuned),
        "slo": [] if tuned.analysis is None else [one.as_json() for one in tuned.analysis.slo],
        "lower_bound": tuned.bound,
        "gap": tuned.gap,
        "front": [_point(tuned, one) for one in tuned.front],
        "errors_front": [_point(tuned, one) for one in tuned.errors],
        "missing": list(tuned.missing),
        "edits": [] if tuned.best is None else _edits(tuned, tuned.best, sources),
    }


def _held_out_json(tuned: Tuned) -> dict[str, Any] | None:
    found = tuned.held_out
    if found is None:
        return None
    return {
        "files": list(found.files),
        "folds": FOLDS,
        "figures": found.figures,
        "too_few_wrong_rows": list(found.thin),
    }


def _point(tuned: Tuned, one: Point) -> dict[str, Any]:
    changes = [
        {"name": name, "from": before, "to": after} for name, before, after in tuned.changes(one)
    ]
    return {"changes": changes, "figures": dict(one.figures)}


def _edits(tuned: Tuned, one: Point, sources: Sources) -> list[dict[str, Any]]:
    return [edit_json(edit, sources) for edit in tuned.edits(one)]
