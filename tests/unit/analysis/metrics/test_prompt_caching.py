"""What prompt caches save is an estimate for arrivals at random, beside a mean that is a bound."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

HEAD = """
provider sun { kind anthropic available 100% }
provider moon { kind openai available 100% }
provider star { kind google available 100% }
provider lab { kind simulated available 100% }
PRICES
prompt long(x: text max 40 tokens) {
  system \"\"\"SYSTEM\"\"\"
  user \"\"\"{{ x }}\"\"\"
}
prompt short(x: text max 40 tokens) {
  system \"\"\"Be kind.\"\"\"
  user \"\"\"LONG{{ x }}\"\"\"
}
prompt plain(x: text max 40 tokens) \"\"\"LONG{{ x }}\"\"\"
tool look(q: text max 20 tokens) -> text max 900 tokens { effect read succeeds 100% timeout 3s }
"""
TIER = """
tier NAME {
  provider PROVIDER model "x-1" price $1 in, $5 out, $1.25 cache_write, $0.10 cache_read
  latency 1s median transient 0% context 200k tokens
}
"""
OPTIONS = "accuracy 90% timeout 9s output 20 tokens mean, 20 tokens max"
KEPT, LASTS = 2048, 300


def cost(folder: Path, steps: str, traffic: str = "traffic 1000/day { x: 40 tokens mean }") -> Any:
    tiers = {"a": "sun", "b": "moon", "c": "star", "d": "lab"}
    text = HEAD.replace(
        "PRICES",
        "".join(TIER.replace("NAME", n).replace("PROVIDER", q) for n, q in tiers.items()),
    )
    text = text.replace("SYSTEM", "A" * 4 * KEPT).replace("LONG", "B" * 4 * KEPT)
    text += "pipeline main(x: text max 40 tokens) -> text max 20 tokens {\n" + traffic + "\n"
    text += steps.replace("{OUT}", "{ " + OPTIONS + " }").replace("OUT", OPTIONS)
    path = folder / "main.pipe"
    path.write_text(text + "\n  return s\n}\n", encoding="utf-8")
    report = report_json([check_file(str(path))])
    errors = [d["message"] for d in report["diagnostics"] if d["severity"] == "error"]
    assert not errors, errors
    return report["pipelines"]["main"]["cost"]


def step(name: str, action: str, options: str = "OUT") -> str:
    return f"  step {name}: text max 20 tokens = {action} {{ {options} }}\n"


def share(calls_a_day: float) -> float:
    return 1 - math.exp(-calls_a_day * LASTS / 86_400)


def test_a_marked_part_is_written_or_read_and_the_rest_is_neither(tmp_path: Path) -> None:
    found = cost(tmp_path, step("s", "ask long(x) by a"))
    written = (KEPT * 1.25 + 40 * 1 + 20 * 5) / 1e6
    assert found["mean"]["value"] == pytest.approx(written, rel=1e-12)
    assert found["mean"]["basis"] == "bound"
    (call,) = found["cached"]["calls"]
    assert (call["tokens"], call["calls"]) == (KEPT, 1.0)
    assert call["read"] == pytest.approx(share(1000), rel=1e-12)
    saves = share(1000) * KEPT * (1.25 - 0.10) / 1e6
    assert found["cached"]["saves"] == pytest.approx(saves, rel=1e-12)
    assert found["cached"]["mean"]["value"] == pytest.approx(written - saves, rel=1e-12)
    assert found["cached"]["mean"]["basis"] == "estimate"


def test_the_share_that_is_read_is_that_of_runs_that_come_at_random() -> None:
    """200,000 runs at random times, each of which finds what was used within 300 s."""
    draw = random.Random(20)
    for per_day in (50, 288, 2000):
        gaps = [draw.expovariate(per_day / 86_400) for _ in range(200_000)]
        found = sum(gap <= LASTS for gap in gaps) / len(gaps)
        assert found == pytest.approx(share(per_day), abs=0.005)


def test_calls_that_begin_the_same_find_each_others(tmp_path: Path) -> None:
    two = step("r", "ask long(x) by a") + step("s", "ask long(x) by a")
    found = cost(tmp_path, two)["cached"]["calls"]
    assert [call["read"] for call in found] == pytest.approx([share(2000)] * 2, rel=1e-12)
    apart = step("r", "ask long(x) by b") + step("s", "ask long(x) by a")
    found = cost(tmp_path, apart)["cached"]["calls"]
    assert [call["read"] for call in found] == pytest.approx([share(1000)] * 2, rel=1e-12)


def test_a_call_that_is_rare_finds_less(tmp_path: Path) -> None:
    steps = (
        step("r", "ask plain(x) by d")
        + "  gate ok: len(r) >= 3 { catches 50% false_alarms 10% } else reject\n"
        + step("s", "ask long(x) by a")
    )
    (call,) = cost(tmp_path, steps)["cached"]["calls"]
    reached = 0.9 * 0.9 + 0.1 * 0.5
    assert call["calls"] == pytest.approx(reached, rel=1e-12)
    assert call["read"] == pytest.approx(share(1000 * reached), rel=1e-12)


def test_calls_of_a_vote_come_at_once(tmp_path: Path) -> None:
    found = cost(tmp_path, step("s", "ask long(x) by a", "OUT vote 3"))["cached"]
    (call,) = found["calls"]
    assert call["calls"] == pytest.approx(3, rel=1e-12)
    assert call["read"] == pytest.approx(share(1000), rel=1e-12)


def test_an_agents_turn_begins_with_the_turn_before(tmp_path: Path) -> None:
    agent = step("s", "agent long(x) by b with look", "OUT steps 4 turns 3")
    first, second, third = cost(tmp_path, agent)["cached"]["calls"]
    assert first["turn"] == 1
    assert first["read"] == pytest.approx(share(1000), rel=1e-12)
    assert KEPT < first["tokens"] < KEPT + 100, "the tools stand in front as well"
    assert (second["turn"], second["read"]) == (2, 1.0)
    assert second["tokens"] == pytest.approx(first["tokens"] + 40, rel=1e-12)
    assert third["tokens"] > second["tokens"] + 900
    without = cost(tmp_path, agent, traffic="")["cached"]["calls"]
    assert [call["turn"] for call in without] == [2, 3], "a rate is not needed for these"


def test_of_an_agents_turn_what_is_marked_is_read(tmp_path: Path) -> None:
    agent = step("s", "agent long(x) by a with look", "OUT steps 4 turns 3")
    found = cost(tmp_path, agent)
    front = found["cached"]["calls"][0]["tokens"]
    assert [call["tokens"] for call in found["cached"]["calls"]] == [front] * 3
    assert [call["read"] for call in found["cached"]["calls"][1:]] == [1.0, 1.0]
    rest = sum(40 + turn * (20 + 900) for turn in range(3))
    at_most = (3 * front * 1.25 + rest + 3 * 20 * 5) / 1e6
    assert found["mean"]["value"] == pytest.approx(at_most, rel=1e-3)
    plain = step("s", "agent plain(x) by a with look", "OUT steps 4 turns 3")
    assert "cached" not in cost(tmp_path, plain), "nothing is marked"


@pytest.mark.parametrize(
    ("action", "options", "traffic"),
    [
        ("ask long(x) by a", "OUT", ""),  # nobody says how often runs come
        (
            "ask long(x) by a",
            "accuracy 90% output 20 tokens mean, 20 tokens max batch within 1h",
            0,
        ),
        ("ask long(x) by c", "OUT", 0),  # nobody says how long Google keeps it
        ("ask long(x) by d", "OUT", 0),
        ("ask short(x) by a", "OUT", 0),  # what is marked is too short to be kept
        ("ask plain(x) by a", "OUT", 0),
        ("ask plain(x) by b", "OUT", 0),  # nothing stands in front of every call
    ],
)
def test_where_nobody_can_say_nothing_is_said(
    tmp_path: Path, action: str, options: str, traffic: Any
) -> None:
    rate = "traffic 1000/day { x: 40 tokens mean }" if traffic == 0 else traffic
    assert "cached" not in cost(tmp_path, step("s", action, options), traffic=rate)


def test_a_mean_is_a_bound_where_a_provider_may_keep_unasked(tmp_path: Path) -> None:
    """OpenAI keeps long prompts without being asked; Anthropic keeps what is marked."""
    unasked = cost(tmp_path, step("s", "ask plain(x) by b"))["mean"]
    assert unasked["value"] == pytest.approx(((KEPT + 40) * 1.25 + 100) / 1e6, rel=1e-12)
    assert unasked["basis"] == "bound"
    marked = cost(tmp_path, step("s", "ask short(x) by a"))["mean"]
    assert marked["value"] == pytest.approx((KEPT + 42 + 100) / 1e6, rel=1e-12)
    assert marked["basis"] == "assumed"
