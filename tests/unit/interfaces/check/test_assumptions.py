"""For someone without numbers: assumptions, what would follow, what the promises need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelang.interfaces.check.assumptions import assumptions
from pipelang.interfaces.cli.check import command as check

BARE = '''\
tier small {{ provider acme model "m" price $1 in, $5 out {tier} }}
provider acme {{ kind simulated {provider} }}
role staff {{ people 2 handles 4m }}
type Answer {{ body: text max 100 tokens }}
tool look_up(q: text max 40 tokens) -> text max 40 tokens {{
  python "a:b" effect read timeout 2s {tool}
}}
prompt ask_it(question: text) """{{{{ question }}}}"""
pipeline main(question: text max 40 tokens) -> Answer {{
  slo {{ success >= 80% silent_error <= 10% }}
  step found = call look_up(question) else escalate to staff
  step one: Answer = ask ask_it(found) by small {{ {one} }} else escalate to staff
  step two: Answer = ask ask_it(one.body) by small {{ {two} }} else escalate to staff
  return two
}}
'''
RELIABLE = {"tier": "transient 0%", "provider": "available 100%", "tool": "succeeds 100%"}
OUTPUT = "output 20 tokens max"


def report(path: Path, *words: str) -> dict[str, Any]:
    line = [str(path), "--format", "json", "--no-cache", *words]
    done = CliRunner().invoke(check.command, line)
    found: dict[str, Any] = json.loads(done.output)["pipelines"]["main"]
    return found


def written(tmp_path: Path, **options: str) -> Path:
    path = tmp_path / "a.pipe"
    empty = dict.fromkeys(("tier", "provider", "tool"), "")
    path.write_text(BARE.format(**{**empty, "one": OUTPUT, "two": OUTPUT, **options}))
    return path


def test_two_unknown_steps_are_their_product(tmp_path: Path) -> None:
    """Success is a squared and the rest silent errors: they need the roots of .8 and .9."""
    found = report(written(tmp_path, **RELIABLE))
    for row in found["what_if"]:
        assert row["success"]["value"] == pytest.approx(row["accuracy"] ** 2, abs=1e-12)
        assert row["silent_error"]["value"] == pytest.approx(1 - row["accuracy"] ** 2, abs=1e-12)
    assert [row["accuracy"] for row in found["what_if"]] == [0.9, 0.95, 0.99]
    assert [need["accuracy"] for need in found["needs"]] == [
        pytest.approx(0.8**0.5, abs=1e-9),
        pytest.approx(0.9**0.5, abs=1e-9),
    ]
    assert not any(need["at_best"] for need in found["needs"])
    assert found["advice"] == []


def test_what_if_says_what_assume_says(tmp_path: Path) -> None:
    path = written(tmp_path, **{**RELIABLE, "tier": ""})
    for row in report(path)["what_if"]:
        assumed = report(path, "--assume", f"accuracy={row['accuracy']:.0%}")["outcomes"]
        for metric in ("success", "silent_error"):
            for side in ("low", "high"):
                expected = assumed[metric][side]
                assert row[metric][side] == pytest.approx(expected, abs=1e-12)
            assert row[metric]["value"] is None


def test_what_is_declared_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, **{**RELIABLE, "one": f"accuracy 60% {OUTPUT}"})
    found = report(path, "--assume", "accuracy=90%,transient=50%", "--assume", "available=10%")
    assert found["outcomes"]["success"]["value"] == pytest.approx(0.54, abs=1e-12)
    assert found["outcomes"]["success"]["basis"] == "assumed"
    assert found["what_if"] == []


def test_everything_can_be_assumed(tmp_path: Path) -> None:
    words = "accuracy=90%,transient=10%,available=80%,succeeds=70%,recovers=20%"
    found = report(written(tmp_path), "--assume", words)["outcomes"]
    one = 0.9
    two = 0.9  # found is right whenever it is there; an attempt fails a tenth of the time
    answered = 0.7 * 0.8 * 0.9 * 0.9
    right = one * two + (1 - one) * 0.2
    assert found["success"]["value"] == pytest.approx(answered * right, abs=1e-12)
    assert found["silent_error"]["value"] == pytest.approx(answered * (1 - right), abs=1e-12)


def test_the_rest_at_its_best_is_said(tmp_path: Path) -> None:
    found = report(written(tmp_path, **{**RELIABLE, "tier": ""}))
    assert [need["at_best"] for need in found["needs"]] == [True]  # no answer at all errs never
    assert found["needs"][0]["accuracy"] == pytest.approx(0.8**0.5, abs=1e-9)
    widening = {one["unknown"]: (one["low"], one["high"]) for one in found["widening"]}
    assert widening["small.transient"] == (0, pytest.approx(0.95**2, abs=1e-12))
    widths = [high - low for low, high in widening.values()]
    assert widths == sorted(widths, reverse=True)


def test_what_cannot_be_reached_needs_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, **{**RELIABLE, "one": f"accuracy 60% {OUTPUT}"})
    assert [need["accuracy"] for need in report(path)["needs"]] == [None, None]
    done = CliRunner().invoke(check.command, [str(path), "--no-cache"])
    assert "cannot be reached, even if each of them is always right" in done.output


def test_the_text_leads_with_what_needs_no_numbers(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        check.command, [str(written(tmp_path, **RELIABLE)), "--no-cache", "--verbose"]
    )
    places = [
        done.output.index(words)
        for words in ("What it does", "If every undeclared step is right", "Declare these")
    ]
    assert places == sorted(places)
    assert "needs at least 89.5% of each" in done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("accuracy", "expected NAME=SHARE, as in accuracy=95%, found `accuracy`"),
        ("accurcy=9%", "there is no `accurcy` to assume; did you mean `accuracy`?"),
        ("price=9%", "there is no `price` to assume; there are: accuracy"),
        ("hits=101%", "expected a share from 0% to 100% for `hits`, found `101%`"),
        ("hits=-1%", "expected a share from 0% to 100% for `hits`, found `-1%`"),
        ("hits=5", "expected a share from 0% to 100% for `hits`, found `5`"),
        ("hits=nan", "expected a share from 0% to 100% for `hits`, found `nan`"),
        ("hits=5%,hits=6%", "`hits` is assumed twice"),
    ],
)
def test_wrong_words(words: str, told: str, tmp_path: Path) -> None:
    found = assumptions(words.split(","))
    assert isinstance(found, str)
    assert told in found
    line = [str(written(tmp_path)), "--assume", words]
    done = CliRunner().invoke(check.command, line)
    assert done.exit_code == 2
    assert told in done.output


def test_the_share_of_hard_cases_is_assumed_where_rates_know_such(tmp_path: Path) -> None:
    hard = {**RELIABLE, "one": f"{OUTPUT} accuracy 90%, 50% if hard", "two": OUTPUT}
    path = written(tmp_path, **hard)
    found = report(path, "--assume", "hard=20%", "--assume", "accuracy=100%")
    success = found["outcomes"]["success"]
    assert success["value"] == pytest.approx(0.8 * 0.9 + 0.2 * 0.5, abs=1e-12)
    assert success["basis"] == "assumed"
    text = path.read_text().replace("  slo {", "  traffic { hard: 50% }\n  slo {")
    path.write_text(text)
    declared = report(path, "--assume", "hard=20%", "--assume", "accuracy=100%")
    assert declared["outcomes"]["success"]["value"] == pytest.approx(0.7, abs=1e-12)


def test_without_such_rates_nothing_is_assumed_of_hard_cases(tmp_path: Path) -> None:
    path = written(tmp_path, **{**RELIABLE, "one": f"{OUTPUT} accuracy 90%"})
    both = [
        report(path, "--assume", "accuracy=95%", *words) for words in ([], ["--assume", "hard=20%"])
    ]
    assert both[0] == both[1]
    assert both[0]["sensitivity"] is not None
