"""A figure that is a bound breaks no promise that runs may keep, nor keeps one that they may break.

Nobody says how often the long branch of a prompt is shown, so what is told of means and quantiles
is the most that they are; runs that never show it take less. Whatever share of the runs does, the
figures with that share declared keep or break what is promised, and no verdict says otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file

from .subject import analyse

TEXT = """
provider p {{ available 100% }}
tier t {{ provider p transient {transient} price $1 in, $5 out latency 1s median, 1s p95 }}
type A {{ long: bool  body: text max 20 tokens }}
prompt q(a: A) \"\"\"{{% if a.long %}}{story}{{% endif %}}{{{{ a.body }}}}\"\"\"
pipeline main(a: A) -> text max 20 tokens {{
  {slo}
  traffic 10/day {{ a.body: 20 tokens mean {share} }}
  step b: text max 20 tokens = ask q(a) by t {{
    accuracy 70% timeout 5s retry 1 output 10 tokens mean, 20 tokens max
  }} else "none" {{ accuracy 50% }}
  return b
}}
"""
STORY = "a story that is told at length, and then once more, since nobody has had enough of it " * 3
METRICS = ("cost.mean", "tokens.mean", "cost.p95", "cost.month")


def report(folder: Path, transient: str, share: str = "", slo: str = "") -> dict[str, Any]:
    path = folder / "main.pipe"
    said = f"slo {{ {slo} }}" if slo else ""
    text = TEXT.format(transient=transient, story=STORY, share=share, slo=said)
    path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = analyse(path)["main"]
    return found


def figure(found: dict[str, Any], metric: str) -> float:
    family, read = metric.split(".")
    value: float = found[family][read]["value"]
    return value


@pytest.mark.parametrize("transient", ["20%", "20 of 100"])
@pytest.mark.parametrize("metric", METRICS)
def test_no_verdict_of_a_bound_is_refuted_by_runs(
    metric: str, transient: str, tmp_path: Path
) -> None:
    shares = [f"a.long: {percent}%" for percent in (0, 50, 100)]
    known = [figure(report(tmp_path, transient, share), metric) for share in shares]
    most = figure(report(tmp_path, transient), metric)
    assert most == pytest.approx(known[-1], rel=1e-6)
    assert known[0] < most * 0.9
    unit = "$" if metric.startswith("cost") else ""
    for op in ("<=", ">="):
        for part in (0.5, 0.95, 1.5):
            target = f"{most * part:.9f}" if unit else f"{round(most * part)}"
            line = f"{metric} {op} {unit}{target}"
            (verdict,) = report(tmp_path, transient, slo=line)["slo"]
            kept = {(one <= float(target)) is (op == "<=") for one in known}
            if verdict["holds"] is not None:
                assert kept == {verdict["holds"]}, (line, known)
            assert verdict["holds"] is not None or part < 1, line


def test_the_worst_run_is_a_bound_by_itself(tmp_path: Path) -> None:
    worst = figure(report(tmp_path, "20%"), "cost.worst")
    line = f"cost.worst <= ${worst * 0.9:.9f}"
    assert report(tmp_path, "20%", slo=line)["slo"][0]["holds"] is False


ANY_LENGTH = """
provider p {{ available 100% }}
tier t {{ provider p transient 20% price $1 in, $5 out latency 1s median, 1s p95 }}
prompt q(x: text max 40 tokens) \"\"\"{words}{{{{ x }}}}\"\"\"
pipeline main(x: text max 40 tokens) -> text max 20 tokens {{
  {slo}
  traffic 10/day {{ {length} }}
  step b: text max 20 tokens = ask q(x) by t {{
    accuracy 70% timeout 5s retry 1 output {output}20 tokens max
  }} else "none" {{ accuracy 50% }}
  return b
}}
"""


def at_lengths(folder: Path, words: str, declared: bool, slo: str = "") -> dict[str, Any]:
    text = ANY_LENGTH.format(
        words=words,
        slo=f"slo {{ {slo} }}" if slo else "",
        length="x: 1 tokens mean" if declared else "",
        output="1 tokens mean, " if declared else "",
    )
    path = folder / "main.pipe"
    path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = analyse(path)["main"]
    return found


@pytest.mark.parametrize("words", ["", "a word", "some words " * 30])
@pytest.mark.parametrize("metric", METRICS)
def test_what_no_length_can_keep_is_missed(metric: str, words: str, tmp_path: Path) -> None:
    least = figure(at_lengths(tmp_path, words, declared=True), metric)
    most = figure(at_lengths(tmp_path, words, declared=False), metric)
    assert least < most
    unit = "$" if metric.startswith("cost") else ""
    for target in (least / 20, least * 0.99, (least + most) / 2, most * 1.01):
        shown = f"{target:.9f}" if unit else f"{max(1, round(target))}"
        line = f"{metric} <= {unit}{shown}"
        (verdict,) = at_lengths(tmp_path, words, declared=False, slo=line)["slo"]
        if verdict["holds"] is False:
            assert least > float(shown), line
        assert (verdict["holds"] is True) is (float(shown) >= most), line
        if target == least / 20 and unit:
            assert verdict["holds"] is False, line


def test_what_a_bound_leaves_open_says_what_to_declare(tmp_path: Path) -> None:
    most = figure(report(tmp_path, "20%"), "cost.mean")
    slo = f"slo {{ cost.mean <= ${most * 0.9:.9f} }}"
    text = TEXT.format(transient="20%", story=STORY, share="", slo=slo)
    path = tmp_path / "main.pipe"
    path.write_text(text, encoding="utf-8")
    (found,) = [one for one in check_file(str(path)).diagnostics if one.rule.code == "P502"]
    assert "may be less" in found.message
    assert "tokens mean" in (found.help or "")


UNDER = """
pipeline main(a: A) -> text max 20 tokens {{
  {slo}
  traffic 10/day {{ a.body: 20 tokens mean  vip: 10% {share} }}
  step b: text max 20 tokens = ask q(a) by t {{
    accuracy 70% timeout 5s retry 1 output 10 tokens mean, 20 tokens max
  }} else "none" {{ accuracy 50% }}
  return b
}}
"""


@pytest.mark.parametrize("transient", ["20%", "20 of 100"])
@pytest.mark.parametrize("metric", ["cost.mean", "cost.p95"])
def test_a_bound_of_some_of_the_runs_is_one_as_well(
    metric: str, transient: str, tmp_path: Path
) -> None:
    """A promise with `when` is about some runs, whose branches nobody counted either."""
    path = tmp_path / "main.pipe"
    head = TEXT[: TEXT.index("pipeline main")]

    def verdict(share: str, line: str) -> bool | None:
        said = UNDER.replace("(a: A)", "(a: A, vip: bool)")
        text = (head + said).format(
            transient=transient, story=STORY, share=share, slo=f"slo {{ {line} when vip }}"
        )
        path.write_text(text, encoding="utf-8")
        held: bool | None = analyse(path)["main"]["slo"][0]["holds"]
        return held

    most = figure(report(tmp_path, transient), metric)
    for op in ("<=", ">="):
        for part in (0.05, 0.95, 1.5):
            line = f"{metric} {op} ${most * part:.9f}"
            kept = {verdict(f"a.long: {percent}%", line) for percent in (0, 100)}
            found = verdict("", line)
            assert found is None or kept == {found}, (line, kept)
            assert found is not None or part < 1, line
