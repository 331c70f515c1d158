"""What an evidence file says: calibration by hand, intervals by closed forms, bad input."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipelang.analysis.calibration import beta_below, calibration, jeffreys
from pipelang.interfaces.cli.main import main
from pipelang.semantics.chance import Row

SVG = "{http://www.w3.org/2000/svg}"


def rows(*pairs: tuple[str, bool]) -> list[Row]:
    return [Row(Decimal(sure), right, at) for at, (sure, right) in enumerate(pairs, 1)]


def file_of(folder: Path, *lines: str) -> str:
    path = folder / "e.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_the_error_by_hand() -> None:
    """.9 and .9 with one right: |.5 - .9|; .3 and .4, both wrong: .3 and .4; weighted by counts."""
    found = calibration(rows(("0.9", True), ("0.9", False), ("0.3", False), ("0.4", False)))
    assert [one.count for one in found.bins] == [1, 1, 2]
    assert found.ece == pytest.approx((0.3 + 0.4 + 2 * 0.4) / 4)


def test_edges_belong_to_the_bin_above_and_one_to_the_last() -> None:
    found = calibration(rows(("0.3", True), ("0.7", True), ("1", True), ("0", False)))
    assert [one.low for one in found.bins] == [0.0, 0.3, 0.7, 0.9]


def test_thresholds() -> None:
    found = calibration(rows(("0.9", True), ("0.8", True), ("0.85", False), ("0.2", False)))
    gate = next(one for one in found.thresholds if one.at == Decimal("0.85"))
    assert (gate.passes, gate.accuracy, gate.catches, gate.false_alarms) == (0.5, 0.5, 0.5, 0.5)
    top = next(one for one in found.thresholds if one.at == Decimal("0.95"))
    assert (top.passes, top.accuracy, top.catches, top.false_alarms) == (0.0, None, 1.0, 1.0)


def test_only_right_rows_say_nothing_of_wrong_ones() -> None:
    found = calibration(rows(("0.9", True), ("0.6", True)))
    assert all(gate.catches is None for gate in found.thresholds)


@pytest.mark.parametrize(
    ("a", "b", "x", "below"),
    [
        (1, 1, 0.3, 0.3),
        (2, 1, 0.5, 0.25),
        (1, 3, 0.5, 0.875),
        (5, 5, 0.5, 0.5),
        (0.5, 0.5, 0.25, 1 / 3),  # the arcsine law: 2 / pi asin(sqrt(x))
        (3, 2, 0.4, 4 * 0.4**3 - 3 * 0.4**4),
    ],
)
def test_the_beta_distribution(a: float, b: float, x: float, below: float) -> None:
    assert beta_below(a, b, x) == pytest.approx(below, abs=1e-12)


@pytest.mark.parametrize(
    ("good", "total"), [(0, 3), (3, 3), (9, 10), (552, 600), (99_000, 100_000)]
)
def test_intervals_leave_out_as_much_on_both_sides(good: int, total: int) -> None:
    low, high = jeffreys(good, total)
    assert beta_below(good + 0.5, total - good + 0.5, low) == pytest.approx(0.025, abs=1e-9)
    assert beta_below(good + 0.5, total - good + 0.5, high) == pytest.approx(0.975, abs=1e-9)


def test_a_calibrated_file_has_little_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a known truth: right as often as it says, and then always 20 points less."""
    pick = random.Random(4)
    for shift, least, most in ((0.0, 0.0, 0.03), (0.2, 0.17, 0.23)):
        lines = []
        for _ in range(4000):
            sure = round(pick.uniform(0.3, 1.0), 3)
            right = pick.random() < sure - shift
            lines.append(json.dumps({"confidence": sure, "correct": right}))
        path = file_of(tmp_path, *lines)
        assert main(["evidence", "show", path, "--format", "json"]) == 0
        assert least <= json.loads(capsys.readouterr().out)["ece"] <= most
        assert main(["evidence", "show", path]) == 0
        assert ("too sure" in capsys.readouterr().out) is (shift > 0)


def test_the_picture(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        '{"confidence": 0.9, "correct": true}',
        '{"confidence": 0.2, "correct": false}',
    )
    out = tmp_path / "a.svg"
    assert main(["evidence", "show", path, "--format", "svg", "-o", str(out)]) == 0
    picture = ElementTree.parse(out).getroot()
    dots = [
        (float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in picture.iter(f"{SVG}circle")
    ]
    assert len(dots) == 2
    (left, low), (right, high) = sorted(dots)
    assert left < right
    assert high < low  # upwards is less in a picture


def test_rows_without_a_confidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, '{"correct": true}', '{"correct": false}')
    assert main(["evidence", "show", path]) == 0
    assert "50.0%" in capsys.readouterr().out
    assert main(["evidence", "show", path, "--format", "svg"]) == 2
    assert "no curve" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['{"correct": true}'] * 16 + ["{nonsense"], "line 17: this is no JSON"),
        (['{"confidence": 2, "correct": true}'], "line 1: `confidence` must be"),
        (['{"confidence": 0.2}'], "line 1: a row needs `correct`"),
        ([""], "there are no rows"),
    ],
)
def test_bad_files(
    lines: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evidence", "show", file_of(tmp_path, *lines)]) == 2
    assert words in capsys.readouterr().err
    assert main(["evidence", "show", str(tmp_path / "none.jsonl")]) == 2
    assert "there is no file" in capsys.readouterr().err
