"""Frontiers that would be too large: exact where values are read together, else certain bounds."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.sweep import pruning
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

ROUNDING = 1e-12

ONE = 'python "m:f" effect read succeeds 97% accuracy 90% cost $0.01'


def analysed(place: Path, lines: list[str]) -> Analysis:
    file = place / "wide.pipe"
    file.write_text("\n".join(lines), encoding="utf-8")
    built = build(str(file), DiskLoader())
    assert built.program is not None, built.diagnostics
    return analyse(built.program, built.program.pipelines["main"])


def fan(count: int) -> list[str]:
    """Steps side by side, and one that reads them all."""
    names = [f"s{number}" for number in range(count)]
    return [
        f"tool one(a: int) -> int {{ {ONE} }}",
        f"tool all({', '.join(f'{name}: int' for name in names)}) -> int",
        '  { python "m:f" effect read succeeds 99% accuracy 95% }',
        "role desk { }",
        "pipeline main(x: int) -> int {",
        *(f"  step {name} = call one(x)" for name in names),
        f"  step joined = call all({', '.join(names)})",
        "  gate good: joined > 0 { catches 50% false_alarms 1% } else escalate to desk",
        "  return joined",
        "}",
    ]


@pytest.mark.parametrize("count", [3, 30, 120])
def test_a_wide_fan_is_exact(count: int, tmp_path: Path) -> None:
    found = analysed(tmp_path, fan(count)).numbers
    answers, right = 0.97**count * 0.99, 0.90**count * 0.95
    assert found["failure"].value == pytest.approx(1 - answers, rel=1e-12)
    assert found["success"].value == pytest.approx(answers * right * 0.99, rel=1e-9)
    wrong = answers * (1 - right) * 0.5
    assert found["silent_error"].value == pytest.approx(wrong, rel=1e-9)
    assert found["cost.mean"].value == pytest.approx(0.01 * count, rel=1e-9)


def tangle(count: int, seed: int) -> list[str]:
    """Layers of steps, each of which reads two of the layer above: nothing is read together."""
    chance = random.Random(seed)
    lines = [
        f"tool one(a: int) -> int {{ {ONE} }}",
        'tool two(a: int, b: int) -> int { python "m:f" effect read succeeds 99% accuracy 95% }',
        f"tool all({', '.join(f'a{n}: int' for n in range(count))}) -> int",
        '  { python "m:f" effect pure }',
        "pipeline main(x: int) -> int {",
        *(f"  step s{number} = call one(x)" for number in range(count)),
    ]
    for layer, above in (("t", "s"), ("u", "t")):
        for number in range(count):
            first, second = chance.sample(range(count), 2)
            lines.append(f"  step {layer}{number} = call two({above}{first}, {above}{second})")
    reads = ", ".join(f"u{number}" for number in range(count))
    return [*lines, f"  step joined = call all({reads})", "  return joined", "}"]


# Columns of the tangle, live states from which tracks are dropped, and how many may stay. The long
# run (`make oracle`) has the wide ones, which take half a minute each.
TANGLES = [(5, 30, 40)] if os.environ.get("ORACLE_LONG") else [(4, 12, 16)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("columns", "many", "most"), TANGLES)
def test_bounds_hold_what_is_exact(
    columns: int,
    many: int,
    most: int,
    seed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = tangle(columns, seed)
    exact = analysed(tmp_path, lines)
    assert exact.numbers["success"].value is not None
    monkeypatch.setattr(pruning, "MANY_STATES", many)
    monkeypatch.setattr(pruning, "most_states", lambda model: most)
    bounded = analysed(tmp_path, lines)
    widths = []
    for name in ("success", "silent_error", "failure", "coverage", "availability", "cost.mean"):
        number, true = bounded.numbers[name], exact.numbers[name].value
        assert number.value is None
        assert not number.tight
        assert number.low is not None
        assert number.high is not None
        assert true is not None
        # Where all runs cost the same, the most of a run is that, added up in another order.
        assert number.low <= true <= number.high * (1 + ROUNDING), name
        widths.append(number.high - number.low)
    assert 0 < max(widths) < 0.9
    row = next(row for row in bounded.steps if row.name == "t0")
    assert row.reached.low is not None
    assert row.importance_success.value is None


@pytest.mark.parametrize("seed", range(4))
def test_joining_what_is_read_together_changes_nothing(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = tangle(4, seed)
    monkeypatch.setattr(pruning, "MANY_STATES", 16)
    joined = analysed(tmp_path, lines)
    monkeypatch.setattr(pruning, "MANY_STATES", 10**9)
    apart = analysed(tmp_path, lines)
    for name, number in apart.numbers.items():
        if number.value is not None:
            assert joined.numbers[name].value == pytest.approx(number.value, abs=1e-12), name
    for mine, theirs in zip(joined.steps, apart.steps, strict=True):
        assert mine.importance_success.value == pytest.approx(
            theirs.importance_success.value, abs=1e-12
        )
