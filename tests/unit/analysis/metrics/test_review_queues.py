"""Review queues: Erlang's formula against published tables, and loads by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelang.analysis.metrics.review_queues import erlang_c, wait_p95
from pipelang.interfaces.check.check import check_file, report_json, with_review

# P(a case waits) for c servers at an offered load of a erlangs. The first rows are the usual worked
# example of M/M/c (utilisation 50%: c = 1 .5; c = 2 1/3; c = 3 .2368; c = 5 .1304), which are the
# values of R. B. Cooper, "Introduction to Queueing Theory", 2nd ed. 1981, appendix; the last ones
# are from the Erlang C tables in call-centre textbooks (G. Koole, "Call Center Mathematics", 2007).
PUBLISHED = [
    (1, 0.5, 0.5),
    (2, 1.0, 0.3333),
    (3, 1.5, 0.2368),
    (4, 2.0, 0.1739),
    (5, 2.5, 0.1304),
    (10, 5.0, 0.0361),
    (2, 1.6, 0.7111),
    (5, 4.0, 0.5541),
    (10, 8.0, 0.4092),
    (12, 10.0, 0.4494),
]


@pytest.mark.parametrize(("people", "load", "waits"), PUBLISHED)
def test_published_values(people: int, load: float, waits: float) -> None:
    assert erlang_c(people, load) == pytest.approx(waits, abs=5e-4)


def test_one_person_is_mm1() -> None:
    """P(wait > t) = rho exp(-(1 - rho) t): with rho = .8 and 5 minutes a case, 69.3 minutes."""
    assert wait_p95(1, 0.8, 5.0) == pytest.approx(69.3147, abs=1e-3)
    assert wait_p95(1, 0.04, 5.0) == 0.0
    assert wait_p95(1, 1.0, 5.0) is None
    assert wait_p95(3, 0.0, 5.0) == 0.0


DESK = "role desk { people 2  handles 6m  hours 10  accuracy 98% }\n"
TRIAGE = """
use "roles.pipe"
pipeline {name}(urgent: bool) -> bool {{
  traffic {rate}/day {{ urgent: 20% }}
  gate calm: not urgent else escalate to desk
  return true
}}
"""


def written(folder: Path, *rates: int) -> list[str]:
    (folder / "roles.pipe").write_text(DESK, encoding="utf-8")
    paths = []
    for number, rate in enumerate(rates):
        path = folder / f"{number}.pipe"
        path.write_text(TRIAGE.format(name=f"triage_{number}", rate=rate), encoding="utf-8")
        paths.append(str(path))
    return paths


def test_all_pipelines_send_to_one_queue(tmp_path: Path) -> None:
    """400 and 450 runs a day, a fifth of them cases of 6 minutes: 17 hours of 20."""
    checked = with_review([check_file(path, alone=False) for path in written(tmp_path, 400, 450)])
    report = report_json(checked)
    json.dumps(report, allow_nan=False)
    assert list(report["review"]) == ["desk"]
    load = report["review"]["desk"]
    assert load["utilisation"]["value"] == pytest.approx(0.85)
    expected = wait_p95(2, 1.7, 360.0)
    assert load["wait_p95"]["value"] == pytest.approx(expected)
    assert not [found for one in checked for found in one.diagnostics]


def test_each_file_alone_is_well_and_both_are_too_much(tmp_path: Path) -> None:
    paths = written(tmp_path, 500, 600)
    assert not [found for path in paths for found in check_file(path).diagnostics]
    checked = with_review([check_file(path, alone=False) for path in paths])
    (found,) = [found for one in checked for found in one.diagnostics]
    assert found.rule.code == "P508"
    load = report_json(checked)["review"]["desk"]
    assert load["wait_p95"]["value"] is None
    assert load["utilisation"]["value"] == pytest.approx(1.1)


def test_what_nobody_declared_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.pipe"
    path.write_text(
        "role desk { people 2  handles 6m  accuracy 98% }\n"
        "role other { accuracy 98% }\n"
        "pipeline p(a: bool, b: bool, c: bool) -> bool {\n"
        "  traffic 480/day { a: 50% }\n"
        "  gate x: a else escalate to desk\n"
        "  gate y: b else escalate to desk\n"
        "  gate z: c else escalate to other\n"
        "  return true\n"
        "}\n",
        encoding="utf-8",
    )
    report = report_json([check_file(str(path))])["review"]
    busy = report["desk"]["utilisation"]
    assert busy["value"] is None
    assert (busy["low"], busy["high"]) == pytest.approx((0.5, 1.0))
    assert report["other"]["utilisation"]["high"] is None
