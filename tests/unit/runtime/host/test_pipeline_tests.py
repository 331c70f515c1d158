"""`test` blocks: mocks of every kind, and each form of `expect`, passing and failing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelang.runtime.host.pipeline_tests import TestResult, run_test

from ..stage import load

PROGRAM = """
enum Size { little much }
fn shout(x: text) -> bool = x == "LOUD"
tool look(x: text) -> [text] max 3 {
  python "tools:look" effect read latency 1ms median succeeds 99% timeout 3s cost $0.01
}
tool send(x: text) -> int { effect irreversible latency 1ms median succeeds 99% cost $0.02 }
pipeline main(x: text) -> Answer {
  step a: Answer = ask say(x) by small { retry 1 output 100 tokens max } else escalate to boss
  step seen = call look(x) else []
  gate sure: a.confidence >= 50% else redo a up to 1 else escalate to boss "unsure"
  gate quiet: not shout(x) else reject "loud"
  step size: Size = ask say(x) by small { output 100 tokens max } else fail "no_size"
  let both = a.value
  step plain = a.confidence
  step said: text = ask say(both) by boss else "nobody"
  hold wait_for for 1h by boss when size == much else escalate to boss
  approve ok by boss when size == little else reject
  step sent = call send(x)
  when large: sent > 100 { fail "too_large" }
  return a
}
pipeline poor(x: text) -> text {
  budget $0.0004 else escalate to boss
  step a: text = ask say(x) by small { output 50 tokens max }
  gate g: a != "" else reject
  step b: text = ask say(x) by small { output 50 tokens max }
  return b
}
"""

FINE = """
  given main(x: "hi")
  mock a = {value: "v", confidence: 90%}
  mock size = much
  mock said = "s"
  mock wait_for yes
  mock send = 5
"""

TOOLS = """
import time
def look(x):
    if x == "hang": time.sleep(30)
    if x == "raise": raise OSError("down")
    if x == "misfit": return [5]
    return [x]
"""


def outcome(folder: Path, lines: str) -> TestResult:
    (folder / "tools.py").write_text(TOOLS)
    loaded = load(folder, f'{PROGRAM} test "it" {{ {lines} }}')
    (test,) = loaded.program.tests
    return asyncio.run(asyncio.wait_for(run_test(loaded, test), 60))


def missed(folder: Path, lines: str) -> str:
    """The one miss of a test, with the text at its place."""
    result = outcome(folder, lines)
    (miss,) = result.misses
    text = (folder / "main.pipe").read_text()
    return f"{text[miss.span.start : miss.span.end]} -> {miss.message}"


@pytest.mark.parametrize(
    "lines",
    [
        "expect answered",
        'expect answered {value: "v", confidence: 90%}',
        "expect called look",
        "expect called send",
        "expect a.confidence == 90%",
        'expect a == {value: "v", confidence: 90%}',
        "expect size == much",
        'expect seen == ["hi"]',
        'expect both == "v"',
        "expect sent == 5",
        "expect cost <= $0.04",
        "expect cost > $0.03",
    ],
)
def test_what_is_expected_and_comes(tmp_path: Path, lines: str) -> None:
    assert outcome(tmp_path, f"{FINE} {lines}").misses == ()


@pytest.mark.parametrize(
    ("lines", "miss"),
    [
        ("expect escalated", "expected it to escalate, but it answered"),
        ("expect escalated sure", "expected it to escalate, but it answered"),
        ("expect rejected", "expected it to be rejected, but it answered"),
        ("expect failed", "expected it to fail, but it answered"),
        ('expect failed "no_size"', "expected it to fail, but it answered"),
        (
            'expect answered {value: "w", confidence: 90%}',
            'expected {"value": "w", "confidence": 0.9}, found {"value": "v", "confidence": 0.9}',
        ),
        ("expect not called send", "`send` was called"),
        ("expect a.confidence == 91%", "expected `a.confidence` to be 0.91, found 0.9"),
        ("expect size == little", 'expected `size` to be "little", found "much"'),
        ("expect cost <= $0.02", "it cost $0.0"),
        ("expect cost == $0.03", "it cost $0.0"),
    ],
)
def test_what_is_expected_and_does_not_come(tmp_path: Path, lines: str, miss: str) -> None:
    said = missed(tmp_path, f"{FINE} {lines}")
    place, _, message = said.partition(" -> ")
    assert place == lines
    assert message.startswith(miss)


def test_a_small_amount_is_written_out(tmp_path: Path) -> None:
    assert ", expected <= $0.0000001" in missed(tmp_path, f"{FINE} expect cost <= $0.0000001")


def test_other_endings(tmp_path: Path) -> None:
    def both(lines: str, right: str, *wrong: tuple[str, str]) -> None:
        assert outcome(tmp_path, f"{lines} {right}").misses == ()
        for expectation, message in wrong:
            assert message in missed(tmp_path, f"{lines} {expectation}")

    unsure = 'given main(x: "hi") mock a = {value: "v", confidence: 10%}'
    both(
        unsure,
        "expect escalated sure expect not called send",
        ("expect escalated a", "expected `a` to escalate, but it escalated to boss by `sure`"),
        ("expect answered", "expected an answer, but it escalated to boss by `sure`"),
        ("expect called send", "`send` was never called"),
        ("expect size == much", "`size` was never made"),
    )
    loud = 'given main(x: "LOUD") mock a = {value: "v", confidence: 90%}'
    both(
        loud,
        "expect rejected quiet",
        ("expect rejected ok", "expected `ok` to reject, but it was rejected by `quiet`"),
        ("expect failed", "expected it to fail, but it was rejected by `quiet`"),
    )
    nothing = 'given main(x: "hi") mock a = {value: "v", confidence: 90%} mock size fails'
    both(
        nothing,
        'expect failed "no_size"',
        ('expect failed "timeout"', "expected it to fail with `timeout`, but it failed with"),
        ("expect rejected", "expected it to be rejected, but it failed with `no_size` at `size`"),
    )
    both(nothing, "expect failed no_size", ("expect failed chain_exhausted", "`no_size`"))


def test_successive_values_are_successive_attempts(tmp_path: Path) -> None:
    low, high = '{value: "low", confidence: 10%}', '{value: "high", confidence: 90%}'
    lines = FINE.replace('{value: "v", confidence: 90%}', f"{low}, {high}")
    assert outcome(tmp_path, f'{lines} expect a.value == "high"').misses == ()
    lines = FINE.replace('{value: "v", confidence: 90%}', f"{low}, {low}, {high}")
    assert outcome(tmp_path, f"{lines} expect escalated sure").misses == ()


def test_a_mock_of_a_tool_serves_every_call(tmp_path: Path) -> None:
    assert outcome(tmp_path, f'{FINE} mock look = ["m"] expect seen == ["m"]').misses == ()
    assert outcome(tmp_path, f"{FINE} mock look fails expect seen == []").misses == ()
    assert outcome(tmp_path, f"{FINE} mock seen fails expect seen == []").misses == ()
    lines = f'{FINE} mock look fails mock seen = ["step"] expect seen == ["step"]'
    assert outcome(tmp_path, lines).misses == (), "a step's mock goes before its tool's"
    both = FINE.replace("mock send = 5", "mock send = 500")
    assert outcome(tmp_path, f"{both} expect failed too_large").misses == ()


def test_people_are_mocked(tmp_path: Path) -> None:
    veto = FINE.replace("mock wait_for yes", "mock wait_for veto")
    assert outcome(tmp_path, f"{veto} expect escalated wait_for").misses == ()
    little = FINE.replace("much", "little")
    assert outcome(tmp_path, f"{little} mock ok no expect rejected ok").misses == ()
    assert outcome(tmp_path, f"{little} mock ok yes expect answered").misses == ()
    nobody = FINE.replace('mock said = "s"', "mock said fails")
    assert outcome(tmp_path, f'{nobody} expect said == "nobody"').misses == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('mock a = {value: "v", confidence: 90%}', "`a` asks a model: mock it"),
        ('mock said = "s"', "`said` asks the role `boss`: mock it"),
        ("mock wait_for yes", "`mock wait_for yes` or `mock wait_for veto`"),
        ("mock send = 5", "`sent` calls `send`, which acts on the world: mock it"),
    ],
)
def test_what_is_reached_without_a_mock_is_a_miss(tmp_path: Path, line: str, message: str) -> None:
    said = missed(tmp_path, FINE.replace(line, "") + " expect answered")
    assert said.endswith(message)


@pytest.mark.parametrize("given", ["raise", "misfit", "hang"])
def test_a_reading_tool_runs_for_real(tmp_path: Path, given: str) -> None:
    lines = FINE.replace('x: "hi"', f'x: "{given}"')
    assert outcome(tmp_path, f"{lines} expect seen == []").misses == ()


def test_a_reading_tool_that_cannot_be_found_is_a_miss(tmp_path: Path) -> None:
    text = PROGRAM.replace("tools:look", "nowhere:look")
    loaded = load(tmp_path, f'{text} test "it" {{ {FINE} expect answered }}')
    (miss,) = asyncio.run(run_test(loaded, loaded.program.tests[0])).misses
    assert "there is no module `nowhere`" in miss.message
    loaded = load(tmp_path, f'{text} test "it" {{ {FINE} mock look = [] expect answered }}')
    assert asyncio.run(run_test(loaded, loaded.program.tests[0])).misses == ()


def test_what_is_worked_out_cannot_be_mocked(tmp_path: Path) -> None:
    said = missed(tmp_path, f"{FINE} mock plain = 5% expect answered")
    assert said.endswith("`plain` is worked out from other values: mock those")


def test_what_does_not_fit_is_a_miss(tmp_path: Path) -> None:
    said = missed(tmp_path, FINE.replace("90%", "60% + 60%") + " expect answered")
    assert said.startswith("mock a =")
    assert said.endswith("`a`: `confidence`: out of range, expected a number between 0 and 1")
    loaded = load(
        tmp_path,
        """
        pipeline main(p: probability) -> probability { return p }
        test "it" { given main(p: 60% + 60%) expect answered }
        """,
    )
    (miss,) = asyncio.run(run_test(loaded, loaded.program.tests[0])).misses
    assert miss.message == "input `p`: out of range, expected a number between 0 and 1"


def test_a_test_spends_its_pipelines_budget(tmp_path: Path) -> None:
    """Two mocked asks of 3 + 50 tokens at most do not both fit into $0.0004."""
    lines = 'given poor(x: "hi") mock a = "A" mock b = "B"'
    assert outcome(tmp_path, f"{lines} expect answered").misses == ()
    long = "A" * 150
    lines = f'given poor(x: "hi") mock a = "{long}" mock b = "B"'
    assert outcome(tmp_path, f"{lines} expect escalated budget").misses == ()


def test_a_failing_mock_costs_what_a_failed_attempt_may(tmp_path: Path) -> None:
    lines = 'given poor(x: "hi") mock a fails'
    assert outcome(tmp_path, f"{lines} expect cost > $0.0002").misses == ()


def test_tests_do_not_share_anything(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TOOLS)
    low, high = '{value: "low", confidence: 10%}', '{value: "high", confidence: 90%}'
    lines = FINE.replace('{value: "v", confidence: 90%}', f"{low}, {high}")
    block = f'{{ {lines} expect a.value == "high" }}'
    loaded = load(tmp_path, f'{PROGRAM} test "one" {block} test "two" {block}')

    async def main() -> list[Any]:
        return await asyncio.gather(*(run_test(loaded, t) for t in loaded.program.tests * 3))

    assert [result.misses for result in asyncio.run(main())] == [()] * 6
