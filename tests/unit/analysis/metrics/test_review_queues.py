"""Review queues: Erlang's formula against published tables, and loads by hand."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.metrics.review_queues import erlang_c, show_busy, wait_p95
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


# --------------------------------------------------------------------------- by brute force


@pytest.mark.parametrize("people", [1, 2, 7, 30, 120])
@pytest.mark.parametrize("busy", ["1/1000", "1/3", "9/10", "999/1000"])
def test_erlang_by_its_recursion_in_exact_arithmetic(people: int, busy: str) -> None:
    load = Fraction(busy) * people
    blocked = Fraction(1)
    for number in range(1, people + 1):
        blocked = load * blocked / (number + load * blocked)
    exact = blocked / (1 - load / people * (1 - blocked))
    assert erlang_c(people, float(load)) == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize("people", [1_000, 5_000, 1_000_000])
def test_thousands_of_people(people: int) -> None:
    """Few cases wait for nobody; with square-root staffing the wait is that of Halfin and Whitt."""
    assert wait_p95(people, 1e-3, 60.0) == 0.0
    assert wait_p95(people, people * 0.9, 60.0) == 0.0
    surplus = 0.5
    load = people - surplus * people**0.5
    density = math.exp(-(surplus**2) / 2) / math.sqrt(2 * math.pi)
    share = 0.5 * math.erfc(-surplus / math.sqrt(2))
    assert erlang_c(people, load) == pytest.approx(1 / (1 + surplus * share / density), abs=0.02)


MODELS = """
provider px { kind simulated available 90% }
tier fa { provider px model "m" price $1 in, $5 out latency 1s median, 2s p95 transient 0% }
prompt p(q: text max 60 tokens) \"\"\"{{ q }}\"\"\"
role desk { people 2 handles 6m hours 8 responds 10m median, 60m p95 accuracy 97% }
"""


def loads_of(folder: Path, *files: str) -> tuple[dict[str, Any], list[str]]:
    """The `review` object over some files, and the codes of what was found about queues."""
    paths = []
    for number, text in enumerate(files):
        paths.append(folder / f"file_{number}.pipe")
        paths[-1].write_text(text, encoding="utf-8")
    checked = with_review([check_file(str(path), alone=False) for path in paths])
    codes = [found.rule.code for one in checked for found in one.diagnostics]
    return report_json(checked)["review"], [c for c in codes if c in ("P508", "P509", "P517")]


def busy_of(folder: Path, *files: str) -> float | None:
    found: float | None = loads_of(folder, *files)[0]["desk"]["utilisation"]["value"]
    return found


CASE = 6 * 60 / (2 * 8 * 3600)
"""The share of its day that one case takes of the desk."""

KID = """
pipeline kid(q: text max 60 tokens) -> text max 60 tokens {
  RATE
  step s: text max 60 tokens = ask p(q) by fa { accuracy 80% timeout 10s } else escalate to desk
  return s
}
"""
MOTHER = """
pipeline mother(q: text max 60 tokens) -> text max 60 tokens {
  RATE
  step s = run kid(q)
  return s
}
"""


def test_an_escalation_of_a_step_is_one_arrival(tmp_path: Path) -> None:
    text = MODELS + KID.replace("RATE", "traffic 1000/day { }")
    assert busy_of(tmp_path, text) == pytest.approx(100 * CASE)


def test_a_child_counts_through_its_callers(tmp_path: Path) -> None:
    """100 runs a day of the mother, of which 10 escalate in the child."""
    mother = MOTHER.replace("RATE", "traffic 100/day { }")
    silent = MODELS + KID.replace("RATE", "") + mother
    assert busy_of(tmp_path, silent) == pytest.approx(10 * CASE)
    with_rate = MODELS + KID.replace("RATE", "traffic 1000/day { }") + mother
    assert busy_of(tmp_path, with_rate) == pytest.approx(110 * CASE)


def test_a_pipeline_of_two_checked_files_counts_once(tmp_path: Path) -> None:
    kid = MODELS + KID.replace("RATE", "traffic 1000/day { }")
    caller = 'use "file_0.pipe"\n' + MOTHER.replace("RATE", "traffic 100/day { }")
    assert busy_of(tmp_path, kid, caller) == pytest.approx(110 * CASE)


def test_a_root_without_a_rate_hides_no_overload(tmp_path: Path) -> None:
    text = (
        MODELS
        + KID.replace("RATE", "")
        + KID.replace("RATE", "traffic 2000/day { }").replace("kid", "other")
    )
    review, codes = loads_of(tmp_path, text)
    busy = review["desk"]["utilisation"]
    assert (busy["value"], busy["high"]) == (None, None)
    assert busy["low"] == pytest.approx(200 * CASE)
    assert codes == ["P508"]


def test_a_wait_that_does_not_fit_an_approval(tmp_path: Path) -> None:
    text = MODELS + (
        "pipeline m(q: text max 60 tokens) -> text max 60 tokens {\n"
        "  traffic 120/day { }\n"
        "  approve soon by desk within WITHIN else reject\n"
        "  return q\n"
        "}\n"
    )
    assert loads_of(tmp_path, text.replace("WITHIN", "10m"))[1] == ["P517"]
    assert loads_of(tmp_path, text.replace("WITHIN", "2h"))[1] == []


@pytest.mark.parametrize("share", [0.0001, 0.4999, 0.625, 0.84999, 0.85001, 0.99996, 1.0, 12.453])
def test_what_is_shown_is_on_the_same_side_of_the_limits(share: float) -> None:
    shown = float(show_busy(share)[:-1]) / 100
    assert shown == pytest.approx(share, abs=5e-4)
    assert (shown >= 1, shown > 0.85) == (share >= 1, share > 0.85)


def test_what_is_sampled_is_a_load_and_no_outcome(tmp_path: Path) -> None:
    """5% of 1,000 answers a day are 50 cases; those of a child come through its callers."""
    role = "role judges { people 2 handles 6m hours 8 accuracy 97% }\n"
    sampled = KID.replace("RATE", "sample 5% of s by judges\n  traffic 1000/day { }")
    plain = KID.replace("RATE", "traffic 1000/day { }")
    review, _ = loads_of(tmp_path, MODELS + role + sampled)
    assert review["judges"]["utilisation"]["value"] == pytest.approx(50 * CASE)
    assert review["desk"] == loads_of(tmp_path, MODELS + role + plain)[0]["desk"]
    mother = MOTHER.replace("RATE", "traffic 100/day { }")
    both = MODELS + role + sampled + mother
    found = loads_of(tmp_path, both)[0]["judges"]["utilisation"]["value"]
    assert found == pytest.approx(55 * CASE)


CUT = (
    """
provider lab { kind simulated available 100% }
tier model { provider lab price $0 in, $10 out transient 0% context 10k tokens }
role desk { people 2 handles 6m hours 8 accuracy 98% }
role chief { people 2 handles 6m hours 8 accuracy 100% }
prompt look(q: text max 20 tokens) """
    + '"""{{ q }}"""'
    + """
pipeline kid(q: text max 20 tokens, v: bool) -> text max 20 tokens {
  budget $BUDGET ELSE
  when v { step s: text max 20 tokens = ask look(q) by model { accuracy 90% output 50 tokens max } }
  return q
}
pipeline main(q: text max 20 tokens, v: bool) -> text max 20 tokens {
  traffic 200/day { v: 60% }
  step k = run kid(q, v) AFTER
  approve ok by chief within 2h else reject
  return k
}
"""
)
# A call of $0.0005 is never made under $0.0001, so 120 of 200 runs a day are cut, in the child.
# Either role could do 160 cases a day. By hand, the share of their day for which they are busy:
CUTS = {
    "its budget escalates": ("else escalate to desk", "", {"desk": 120 / 160, "chief": 80 / 160}),
    "it fails": ("", "else ask look(q) by desk", {"desk": 120 / 160, "chief": 200 / 160}),
    "it answers": ('else return "no"', "", {"chief": 200 / 160}),
}


@pytest.mark.parametrize("case", CUTS)
def test_what_a_budget_sends_is_a_load(tmp_path: Path, case: str) -> None:
    ends, after, loads = CUTS[case]
    text = CUT.replace("$BUDGET", "$0.0001").replace("ELSE", ends).replace("AFTER", after)
    found = {role: load["utilisation"] for role, load in loads_of(tmp_path, text)[0].items()}
    for role, busy in loads.items():
        assert found[role]["low"] - 1e-9 <= busy <= found[role]["high"] + 1e-9, role
    if case == "its budget escalates":
        assert found["desk"]["value"] == pytest.approx(120 / 160, abs=1e-12)


def test_a_queue_that_only_a_budget_fills(tmp_path: Path) -> None:
    """240 of 400 runs a day are cut, and the desk does 160 a day."""
    text = CUT.replace("$BUDGET", "$0.0001").replace("ELSE", "else escalate to desk")
    text = text.replace("AFTER", "").replace("200/day", "400/day")
    assert "P508" in loads_of(tmp_path, text)[1]
    roomy = CUT.replace("$BUDGET", "$1").replace("ELSE", "else escalate to desk")
    assert "desk" not in loads_of(tmp_path, roomy.replace("AFTER", ""))[0]
