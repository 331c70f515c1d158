"""The analysis against Storm, a model checker, in exact arithmetic: all outcomes and mean cost.

`compile --to prism` translates a pipeline without anything of the sweep, and Storm knows nothing of
either. Beside the pipelines that the enumeration can play it takes longer ones, votes, cascades,
people, prices, and what nobody declared. `STORM_SEEDS=2000` looks further.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from . import cases_asked, cases_each, cases_run  # noqa: F401
from .cases import CASES
from .generate import generate
from .generate_wide import generate_wide
from .season import seasoned, with_gaps
from .storm import REPO, Storm, storm_python
from .subject import Exported, analyse, exported
from .write_pipe import pipe_text, write_pipe

pytestmark = pytest.mark.judge("Storm")

SEEDS = int(os.environ.get("STORM_SEEDS", "100"))
FEW = SEEDS if os.environ.get("ORACLE_LONG") else SEEDS // 4
"""Where another test puts the same to a judge."""
BATCH = 10
FIRST = 30_000  # not the seeds of the enumeration
TOLERANCE = Fraction(1, 10**12)
OUTCOMES = ("success", "silent_error", "escalation", "rejection", "failure")
Number = dict[str, Any]
Judged = Callable[[int], None]


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    python = storm_python()
    assert python is not None
    storm = Storm(python)
    yield storm
    storm.close()


def numbers(report: dict[str, Any], model: str) -> dict[str, tuple[str, Number]]:
    """What is compared: a property of the model and a number of the report, by name."""
    found = {name: (f'P=? [F "{name}"]', report["outcomes"][name]) for name in OUTCOMES}
    found["wrong_effect"] = ('P=? [F "wrong_effect"]', report["wrong_effect"])
    for name, number in report["escalations"].items():
        label = f"escalation_{name.replace('.', '_')}"
        # A step that no run of the model comes to has no label.
        asked = f'P=? [F "{label}"]' if f'label "{label}"' in model else "P=? [F false]"
        found[f"escalation.{name}"] = (asked, number)
    for step in report["steps"]:
        if "." in step["name"]:  # of a child: counted over its runs, which no label is about
            continue
        found[f"reached {step['name']}"] = (f'P=? [F "reached_{step["name"]}"]', step["reached"])
    if 'rewards "cost"' in model and "// no rewards" not in model:
        found["cost.mean"] = ('R{"cost"}=? [F "done"]', report["cost"]["mean"])
    return found


def disagreements(storm: Storm, report: dict[str, Any], model: str, exact: bool) -> list[str]:
    """Every number that is not Storm's; where the report gives bounds, Storm's is inside."""
    asked = numbers(report, model)
    values = storm.values(model, {name: ask for name, (ask, _) in asked.items()})
    found = []
    for name, (_, number) in asked.items():
        value = values[name]
        low, high = number["low"], number["high"]
        if number["value"] is not None and number["basis"] != "measured":
            low = high = number["value"]
        elif exact and number["value"] is None:
            found.append(f"{name}: {float(value)}, reported unknown")
        slack = TOLERANCE if low == high else Fraction(1, 10**9)
        below = low is not None and value < Fraction(low) - slack
        above = high is not None and value > Fraction(high) + slack
        if number["value"] is not None and number["basis"] == "measured":
            below = above = abs(value - Fraction(number["value"])) > TOLERANCE
        if below or above:
            found.append(f"{name}: {float(value)!r}, reported {number}")
    return found


def seeds(first: int) -> list[int]:
    return list(range(FIRST + first, FIRST + first + BATCH))


# The next test has all of it and more but importances, and the enumeration judges programs like
# these.
@pytest.mark.parametrize("first", range(0, FEW, BATCH))
def test_report_and_importances_are_what_storm_finds(
    storm: Storm, judged: Judged, first: int, tmp_path: Path
) -> None:
    """Storm's parametric mode gives outcomes as rational functions, and derives them exactly: an
    importance is such a derivative.
    """
    failures = []
    compared = 0
    for seed in seeds(first):
        program = generate(seed)
        path = write_pipe(program, tmp_path / f"seed_{seed}")
        report, model = analyse(path)["main"], exported(path)["main"]
        found = disagreements(storm, report, model.text, True)
        importance = {step["name"]: step["importance"] for step in report["steps"]}
        for names, constants in alike(model.accuracies).items():
            for outcome, value in derivatives(storm, model, constants).items():
                compared += 1
                reported = sum(Fraction(importance[name][outcome]["value"]) for name in names)
                if abs(value - reported) > TOLERANCE * len(names):
                    found.append(f"importance of {', '.join(names)}, {outcome}: {float(value)}, "
                                 f"reported {float(reported)}")  # fmt: skip
        if found:
            failures += [f"seed {seed}", *found, pipe_text(program)]
    judged(BATCH + compared)
    assert compared
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_constructs_that_the_enumeration_does_not_know(
    storm: Storm, judged: Judged, first: int, tmp_path: Path
) -> None:
    failures = []
    compared = 0
    for seed in seeds(first):
        path = write_pipe(generate(seed), tmp_path / f"seed_{seed}")
        text = seasoned(path.read_text(encoding="utf-8"), seed)
        path.write_text(text, encoding="utf-8")
        reports = reports_of(path)
        if reports is None:
            continue
        compared += 1
        model = exported(path)["main"].text
        assert "// no rewards" not in model, "whatever is in it, the mean cost is compared"
        found = disagreements(storm, reports["main"], model, True)
        if found:
            failures += [f"seed {seed}", *found, text]
    judged(compared)
    assert compared >= BATCH // 2
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_every_construct(storm: Storm, judged: Judged, first: int, tmp_path: Path) -> None:
    """All pipelines of all files: sub-pipelines, lists, agents, memories, caches, and the rest."""
    failures = []
    for seed in seeds(first):
        program = generate_wide(seed)
        path = write_pipe(program, tmp_path / f"seed_{seed}")
        reports = analyse(path)
        models = exported(path)
        assert set(models) == set(reports)
        judged(len(models))
        for name, model in models.items():
            assert not model.unknown
            found = disagreements(storm, reports[name], model.text, True)
            if found:
                failures += [f"seed {seed}, {name}", *found, pipe_text(program)]
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("name", CASES)
def test_known_answers(storm: Storm, judged: Judged, name: str, tmp_path: Path) -> None:
    """The cases worked out by hand: Storm finds them in the translation."""
    case = CASES[name]()
    model = exported(write_pipe(case.program, tmp_path))["main"].text
    found = storm.values(model, {kind: f'P=? [F "{kind}"]' for kind in OUTCOMES})
    judged(1)
    for kind in OUTCOMES:
        assert abs(found[kind] - case.outcomes.get(kind, 0)) < TOLERANCE, kind


@pytest.mark.parametrize("first", range(0, SEEDS // 4, BATCH))
def test_bounds_hold_wherever_the_unknown_lies(
    storm: Storm, judged: Judged, first: int, tmp_path: Path
) -> None:
    failures = []
    compared = 0
    for seed in seeds(first):
        rng = random.Random(seed)
        path = write_pipe(generate(seed), tmp_path / f"seed_{seed}")
        text = with_gaps(seasoned(path.read_text(encoding="utf-8"), seed), seed)
        path.write_text(text, encoding="utf-8")
        reports = reports_of(path)
        if reports is None:
            continue
        model, report = exported(path)["main"], reports["main"]
        compared += bool(model.unknown)
        for _ in range(3):
            point = {name: rng.choice(["0", "1", "0.5", "0.125"]) for name in model.unknown}
            found = disagreements(storm, report, model.given(point), False)
            if found:
                failures += [f"seed {seed} at {point}", *found, text]
    judged(compared)
    assert compared >= BATCH // 5
    assert not failures, "\n".join(failures)


def reports_of(path: Path) -> dict[str, Any] | None:
    """None for a file with errors; some that are made up here have them."""
    try:
        return analyse(path)
    except AssertionError:
        return None


EXAMPLES = sorted((REPO / "examples").rglob("*.pipe"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples(storm: Storm, judged: Judged, path: Path) -> None:
    reports = analyse(path)
    models = exported(path)
    judged(len(models))
    for name, model in models.items():
        half = dict.fromkeys(model.unknown, "0.5")
        # The model knows no budgets: its runs are among those that bounds with cuts hold for.
        exact = not half and "cut" not in reports[name]
        assert not disagreements(storm, reports[name], model.given(half), exact)


# ----------------------------------------------------------------------------- importances


def alike(accuracies: dict[str, list[str]]) -> dict[tuple[str, ...], list[str]]:
    """Steps with the accuracies that any of them has. An importance is that of a step alone; where
    several have a tool's accuracy, theirs together are its derivative.
    """
    groups: list[tuple[set[str], set[str]]] = []
    for name, constants in accuracies.items():
        mine = ({name}, set(constants))
        apart = []
        for group in groups:
            if group[1] & mine[1]:
                mine = (mine[0] | group[0], mine[1] | group[1])
            else:
                apart.append(group)
        groups = [*apart, mine]
    return {tuple(sorted(names)): sorted(constants) for names, constants in groups}


def derivatives(storm: Storm, model: Exported, constants: list[str]) -> dict[str, Fraction]:
    """Of success and silent errors, when all of these constants grow together."""
    if not constants:
        return {"success": Fraction(0), "silent_error": Fraction(0)}
    at = {name: model.value(name) for name in constants}
    asked = {name: f'P=? [F "{name}"]' for name in ("success", "silent_error")}
    found = storm.derivatives(model.opened(constants), asked, at)
    return {name: sum(parts.values(), Fraction(0)) for name, parts in found.items()}
