"""Endings in a region that are told apart only where something tells them apart."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path

import pytest

from pipelang.analysis.frontier.mixtures import MixtureMeter
from pipelang.analysis.latency import walk as walked
from pipelang.analysis.latency.figures import spent
from pipelang.analysis.latency.regions import DEEPEST, EndedRuns
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.interfaces.check.check import check_file

WORLD = """
role desk { people 2 handles 3m accuracy 99% responds 1m median, 5m p95 }
tool swift(a: int) -> int {
  python "os:abs" effect read succeeds 90% accuracy 80% cost $0.01 latency 1s median, 4s p95
}
tool slow(a: int) -> int {
  python "os:abs" effect read succeeds 70% accuracy 90% cost $0.05 latency 9s median, 14s p95
}
"""
ENDS = ["", " else escalate to desk", " else reject", " else return x", " else return {read}"]


def block(pick: random.Random, steps: int, extra: str = "") -> str:
    """Steps that read any step before them, with endings of all kinds, then a value of them."""
    lines, names = [], ["x"]
    for number in range(steps):
        of = pick.choice(names[-4:])
        told = pick.choice(ENDS).format(read=pick.choice(names[:2]))
        action = pick.choice([f"call swift({of})", f"call slow({of})", extra.format(of) or "1"])
        if action == "1":
            action = f"call swift({of})"
        lines.append(f"  step s{number}: int = {action}{told}")
        names.append(f"s{number}")
    return "\n".join([*lines, f"  return {names[-1]} + {names[len(names) // 2]}"])


def program_of(pick: random.Random) -> str:
    child = block(pick, pick.randint(3, 7))
    run = "run child({}) else call slow(x)"
    return (
        f"{WORLD}pipeline child(x: int) -> int {{\n{child}\n}}\n"
        f"pipeline main(x: int) -> int {{\n{block(pick, pick.randint(2, 5), run)}\n}}\n"
    )


def model_of(path: Path, text: str) -> PipelineModel | None:
    path.write_text(text, encoding="utf-8")
    checked = check_file(str(path))
    if checked.program is None:
        return None
    program = checked.program
    return make_model(program, program.pipelines["main"], point_parameters(program))


def figures_of(path: Path, text: str) -> dict[str, float | None] | None:
    model = model_of(path, text)
    if model is None:
        return None
    found = spent(model, None, 1)
    assert found is not None
    told = {name: figure.value for name, figure in found.ranges.items()}
    return told | {
        f"{clock} of {name}": one for clock, of in found.times.items() for name, one in of.items()
    }


def test_endings_that_are_alike_change_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small programs all endings are told apart, unless that is asked of every table."""
    compared, joined = 0, 0
    alike = EndedRuns.alike

    def counted(self, table, items, later):  # type: ignore[no-untyped-def]
        nonlocal joined
        found = alike(self, table, items, later)
        joined += len(found) < len(table)
        return found

    for seed in count():
        text = program_of(random.Random(seed))
        with monkeypatch.context() as patch:
            patch.setattr(walked, "FEW_STATES", 10**9)
            apart = figures_of(tmp_path / "a.pipe", text)
        with monkeypatch.context() as patch:
            patch.setattr(walked, "FEW_STATES", 0)
            patch.setattr(EndedRuns, "alike", counted)
            together = figures_of(tmp_path / "a.pipe", text)
        if apart is None or together is None:
            continue
        assert together["cost.mean"] == pytest.approx(apart["cost.mean"], rel=1e-12), text
        # Of sums that are made in another order lattices lack other tails.
        assert together == pytest.approx(apart, rel=1e-6), text
        compared += 1
        if compared == 60:
            break
    assert joined > 100


def test_a_step_beside_every_step_of_a_chain_costs_no_power_of_its_length(tmp_path: Path) -> None:
    """Every step of a chain has one beside it that nothing waits for, and any of them may end the
    run: what is written down grows with the chain, and it takes no less than by hand.
    """

    def found(steps: int) -> int:
        lines, of = [], "x"
        for number in range(steps):
            lines += [f"  step a{number}: int = call swift({of})"]
            lines += [f"  step b{number}: int = call slow({of}) else escalate to desk"]
            of = f"a{number}"
        text = "\n".join([WORLD, "pipeline main(x: int) -> int {", *lines, f"  return {of}", "}\n"])
        model = model_of(tmp_path / "a.pipe", text)
        assert model is not None
        model.meter = MixtureMeter()
        walk = walked.walk(model)
        assert sum(model.meter.mass(weight) for weight in walk.endings.values()) == pytest.approx(1)
        assert model.meter.bounded is (steps > DEEPEST)
        return len(model.meter.known)

    known = {steps: found(steps) for steps in (4, 20, 40, 80)}
    assert known[80] - known[40] < 2.2 * (known[40] - known[20])
