"""Texts of constructs that no other generator puts together, against all runs of the interpreter.

Outcomes, ways to people, wrong effects and the mean cost are those of all runs, to 1e-11. Under
budgets of the pipeline and of those that it runs they lie within their bounds whatever attempts
take. And a text that says the same in other words has the same figures: run by another pipeline,
with other names, and with a member of an enum in two halves. `ORACLE_LONG=1` looks further.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from .enumerate_runs import TooManyRunsError
from .every_run import every_run, load, mean, share_of
from .generate_mixed import generate_mixed
from .subject import analyse, whole_report
from .test_budgets import dollars, slow
from .test_cut_runs import ELSE, adversary, off

SEEDS = 2_000 if os.environ.get("ORACLE_LONG") else 60
BATCH = 20
MOST_RUNS = 250
FEW_RUNS = 60
"""Where a text is run in several ways."""
OUTCOMES = ("success", "silent_error", "escalation", "rejection", "failure")


def written(text: str, files: dict[str, str], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        (folder / name).write_text(rows, encoding="utf-8")
    path = folder / "main.pipe"
    path.write_text(text, encoding="utf-8")
    return path


def broken(report: dict[str, Any]) -> bool:
    """Whether a text is none: some mixtures are not, such as one that can never answer."""
    return any(found["severity"] == "error" for found in report["diagnostics"])


def unlike_its_runs(path: Path, most: int) -> list[str] | None:
    """What all runs come to, and the report does not say; None if the text is none."""
    whole = whole_report(path)
    if broken(whole):
        return None
    report = whole["pipelines"]["main"]
    runs = every_run(load(path), "main", most)
    compared = {
        kind: (share_of(runs, lambda one, kind=kind: one.outcome == kind), number)
        for kind, number in report["outcomes"].items()
    }
    for way in {one.reason for one in runs if one.reason} | {*report["escalations"]}:
        told = report["escalations"].get(way, {"value": 0.0})
        compared[way] = share_of(runs, lambda one, way=way: one.reason == way), told
    wrong = share_of(runs, lambda one: one.wrong_effect)
    compared["wrong_effect"] = wrong, report["wrong_effect"]
    compared["cost"] = mean(runs, lambda one: one.cost), report["cost"]["mean"]
    return [
        f"{what}: {found!r}, reported {number}"
        for what, (found, number) in compared.items()
        if number["value"] is None or abs(found - number["value"]) > 1e-11
    ]


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_report_is_of_all_runs(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    compared = 0
    for seed in range(first, first + BATCH):
        text, files = generate_mixed(seed)
        try:
            found = unlike_its_runs(written(text, files, tmp_path / str(seed)), MOST_RUNS)
        except TooManyRunsError:
            continue
        compared += found is not None
        if found:
            failures += [f"seed {seed}", *found, text]
    assert compared >= BATCH // 2
    assert not failures, "\n".join(failures)


# --------------------------------------------------------------------------------- in other words


def run_by_another(text: str) -> tuple[str, str]:
    """The text with a pipeline that runs `main` and answers what it answers."""
    head, body = text.split("pipeline main(", 1)
    given = body[: body.index(") -> A {")]
    names = ", ".join(re.findall(r"(\w+):", given))
    traffic = "traffic { hard: 30% }" if "hard: 30%" in body else ""
    outer = (
        f"pipeline outer({given}) -> A {{ {traffic} step r_1: A = run main({names}) return r_1 }}"
    )
    return f"{head}pipeline main({body}\n{outer}\n", "outer"


def with_other_names(text: str) -> tuple[str, str]:
    """The text in which names of steps, gates and elements are in another order."""
    named = re.compile(r"\b(s|e|g|l|w|a|item)_(\d+)\b")
    return named.sub(lambda found: f"{found[1]}_{900 - int(found[2])}", text), "main"


def with_a_member_in_halves(text: str) -> tuple[str, str]:
    """The text in which one member of an enum is two that are treated alike."""
    text = text.replace("plain tricky odd }", "plain tricky odd odd2 }")
    text = re.sub(r"== odd\b", "in [odd, odd2]", text)
    text = re.sub(r"in \[([^\]]*)\bodd\b(?!, odd2)([^\]]*)\]", r"in [\1odd, odd2\2]", text)
    text = re.sub(r"\bodd (=>|\{)", r"odd, odd2 \1", text)
    halves = re.compile(r"odd (\d+)%")
    return halves.sub(lambda m: "odd {0}%, odd2 {0}%".format(int(m[1]) / 2), text), "main"


@pytest.mark.parametrize(
    "other",
    [run_by_another, with_other_names, with_a_member_in_halves],
    ids=lambda one: one.__name__,
)
def test_the_same_in_other_words_is_the_same(other: Any, tmp_path: Path) -> None:
    failures: list[str] = []
    compared = 0
    for seed in range(1_000, 1_000 + max(15, SEEDS // 4)):
        text, files = generate_mixed(seed, cached=seed % 2 == 0, measured=seed % 3 == 0)
        path = written(text, files, tmp_path / f"{seed}")
        whole = whole_report(path)
        if broken(whole):
            continue
        changed, name = other(text)
        one = whole["pipelines"]["main"]
        two = analyse(written(changed, files, tmp_path / f"{seed}_changed"))[name]
        compared += 1
        for kind in (*OUTCOMES, "wrong_effect", "cost"):
            pair = [
                report["cost"]["mean"]
                if kind == "cost"
                else report["outcomes"].get(kind, report["wrong_effect"])
                for report in (one, two)
            ]
            for part in ("value", "low", "high", "mean"):
                first, second = (number[part] for number in pair)
                if first != pytest.approx(second, rel=1e-11, abs=1e-11):
                    failures += [f"seed {seed}, {kind}: {pair[0]} and {pair[1]}", text]
    assert compared >= 10
    assert not failures, "\n".join(failures)


# --------------------------------------------------------------------------------------- budgets


def unmeasured(text: str, rng: random.Random) -> str:
    """The text in which everything takes its whole timeout, and models fail now and then."""
    text = text.replace("  budget $1000\n", "").replace("available 90%", "available 100%")
    text = re.sub(r"transient \d+%", lambda _: f"transient {rng.choice([0, 5, 20])}%", text)
    text = re.sub(r"latency \ds median, \ds p95", "latency 10s median, 10s p95", text)
    return slow(text)


def with_budget(text: str, name: str, limit: str, otherwise: str) -> str:
    return re.sub(
        rf"^(pipeline {name}\(.*\n)", rf"\g<1>  budget {limit}{otherwise}\n", text, flags=re.M
    )


def limited(text: str, path: Path, rng: random.Random) -> str:
    """The text with budgets that may cut runs, of any of its pipelines."""
    loaded = load(path)
    runs = every_run(loaded, "main", FEW_RUNS, adversary(loaded, "all"))
    cost, tokens = max(one.cost for one in runs), max(one.tokens for one in runs)

    def limit() -> str:
        share = rng.choice([0.2, 0.4, 0.6, 0.9])
        money = dollars(max(cost * share, 1e-9))
        return rng.choice([money, money, f"{max(1, int(tokens * share))} tokens", "2 steps"])

    inner = [
        one for one in re.findall(r"^pipeline (\w+_\d)\(", text, re.M) if f"run {one}(" in text
    ]
    for name in ["main", *inner] if rng.randrange(2) or not inner else inner:
        text = with_budget(text, name, limit(), rng.choice(ELSE))
    return f"role boss {{ accuracy 99% }}\n{text}"


@pytest.mark.parametrize("first", range(0, SEEDS // 2, BATCH // 2))
def test_runs_that_budgets_cut_lie_within_their_bounds(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    compared = 0
    for seed in range(2_000 + first, 2_000 + first + BATCH // 2):
        rng = random.Random(f"budgets {seed}")
        text = unmeasured(generate_mixed(seed, measured=False)[0], rng)
        path = written(text, {}, tmp_path / str(seed))
        if broken(whole_report(path)):
            continue
        try:
            path = written(limited(text, path, rng), {}, tmp_path / str(seed))
            report, loaded = whole_report(path)["pipelines"]["main"], load(path)
            for play in ("nothing", "all", "some"):
                takes = adversary(loaded, play, seed)
                runs = every_run(
                    loaded, "main", 4 * FEW_RUNS, takes, budget=True, begun=takes.begun
                )
                if found := off(report, runs, play):
                    failures += [f"seed {seed}", *found, path.read_text(encoding="utf-8")]
        except TooManyRunsError:
            continue
        compared += 1
    assert compared
    assert not failures, "\n".join(failures)
