"""Golden sets: what passes, how it is compared, what flips, and what is told of bad sets."""

from __future__ import annotations

import asyncio
import json
import subprocess
from decimal import Decimal
from math import comb
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import pipelang
from pipelang import Runtime
from pipelang.analysis.metrics.analyse import analyse
from pipelang.diagnostics import RULES
from pipelang.interfaces.cli.golden import command
from pipelang.interfaces.golden.cases import read_set
from pipelang.interfaces.golden.running import Purse, SetRunner, SetRuns
from pipelang.interfaces.golden.summary import JudgeAccuracy, comparison, summary
from pipelang.runtime.providers.protocol import ModelAnswer, ModelRequest, Usage

PROGRAM = """
role boss { people 1 }
type Sum { total: money  name: text max 20 tokens }
tool pay(amount: money) -> text { effect irreversible }
tool rate(name: text) -> number { effect read }
fn near(a: Sum, b: Sum) -> bool = a.name == b.name
fn positive(a: Sum) -> bool = a.total > $0

pipeline add(a: money, b: money, name: text max 20 tokens) -> Sum {
  gate small: a + b <= $100 else escalate to boss "much money"
  gate named: name != "" else reject "no name"
  let made: Sum = {total: a + b, name: name}
  return made
}

pipeline paid(amount: money) -> text {
  approve ok by boss else escalate to boss "not approved"
  step done = call pay(amount) else fail "unpaid"
  return done
}

pipeline judge(answer: Sum, expected: Sum) -> bool {
  step right = answer.total == expected.total { accuracy 90% }
  return right
}

enum Kind { ball cube }
type Part { size: int? }
type Shape { kind: Kind  parts: [Part] max 2  flat: bool  }

pipeline shapes(n: int) -> Shape {
  return {kind: ball, parts: [{size: n}, {size: none}], flat: n > 1}
}

pipeline says(answer: Sum) -> text {
  return answer.name
}
"""


HUGE = "9" * 400
ADDED = '"a": 1, "b": 2, "name": "x"'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.pipe").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def write_set(*cases: dict[str, Any]) -> None:
    Path("golden.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))


def golden(*more: str, code: int = 0) -> Result:
    result = CliRunner().invoke(command, ["main.pipe", "--set", "golden.jsonl", *more])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def case(title: str, expect: Any, pipeline: str = "add", **given: Any) -> dict[str, Any]:
    given = given or {"a": 1.5, "b": 2, "name": "x"}
    row = {"case": title, "pipeline": pipeline, "input": given, "expect": expect}
    return {key: value for key, value in row.items() if value is not None}


def as_json(*more: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(golden("--format", "json", *more, code=code).stdout)
    return found


VALUE = {"total": 3.5, "name": "x"}


@pytest.mark.parametrize(
    ("expect", "passes"),
    [
        ({"value": VALUE}, True),
        ({"value": {"total": "3.50", "name": "x"}}, True),
        ({"value": {"total": 3.51, "name": "x"}}, False),
        ({"fields": {"total": {"near": 3.4, "within": 0.11}}}, True),
        ({"fields": {"total": {"near": 3.4, "within": 0.05}}}, False),
        ({"fn": "near", "value": {"total": 99, "name": "x"}}, True),
        ({"fn": "near", "value": {"total": 3.5, "name": "y"}}, False),
        ({"fn": "positive"}, True),
        ({"judge": "judge", "value": {"total": 3.5, "name": "z"}}, True),
        ({"judge": "judge", "value": {"total": 3, "name": "x"}}, False),
        ({"outcome": "escalated"}, False),
        ({"outcome": "answered", "not_called": ["rate"]}, True),
        ({"outcome": "answered", "called": ["rate"]}, False),
    ],
)
def test_ways_to_compare(folder: Path, expect: dict[str, Any], passes: bool) -> None:
    write_set(case("one", expect))
    assert as_json(code=0 if passes else 1)["passed"] == int(passes)


def test_other_outcomes(folder: Path) -> None:
    write_set(
        case("much", {"outcome": "escalated", "reason": "small"}, a=99, b=2, name="x"),
        case("none", {"outcome": "rejected", "reason": "small"}, a=1, b=2, name=""),
    )
    found = as_json(code=1)
    assert [one["case"] for one in found["failed"]] == ["none"]
    assert found["failed"][0]["why"] == ["rejected because of `named`, expected `small`"]


def test_people_and_tools_answer_as_the_case_says(folder: Path) -> None:
    yes = {**case("yes", {"value": "done"}, "paid", amount=5), "people": {"ok": "yes"}}
    no = {**case("no", {"outcome": "escalated", "reason": "ok"}, "paid", amount=5)}
    write_set({**yes, "tools": {"pay": "done"}}, {**no, "tools": {"pay": "done"}})
    assert as_json()["passed"] == 2
    write_set({**yes, "tools": {"pay": {"fails": True}}})
    assert "unpaid" in golden(code=1).output
    write_set(yes)
    assert "`pay` acts on the world" in golden(code=2).output


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"case": 1', "this is no JSON"),
        ("[]", "a case is an object"),
        ('{"input": {}}', "which pipeline?"),
        ('{"pipeline": "ad", "input": {}}', "did you mean `add`?"),
        ('{"pipeline": "add"}', "needs an `input`"),
        ('{"pipeline": "add", "input": {"a": 1}}', "needs the input `b`"),
        ('{"pipeline": "add", "input": {}, "expects": {}}', "did you mean `expect`?"),
        ('{"pipeline": "add", "input": {}, "expect": {"fn": "nar"}}', "did you mean `near`?"),
        ('{"pipeline": "add", "input": {}, "expect": {"judge": "add"}}', "cannot judge"),
        ('{"pipeline": "add", "input": {}, "expect": {"outcome": "ok"}}', "no run ends `ok`"),
        ('{"pipeline": "add", "input": {}, "times": 0}', "`times` is a whole number"),
        ('{"pipeline": [], "input": {}}', "there is no pipeline `[]`"),
        ('{"pipeline": "add", "input": {}, "tools": 5}', "`tools` is an object"),
        ('{"pipeline": "add", "input": {}, "tools": {"rat": 1}}', "did you mean `rate`?"),
        ('{"pipeline": "add", "input": {}, "people": "yes"}', "`people` is an object"),
        ('{"pipeline": "add", "input": {}, "people": {"on": "yes"}}', "no approval or hold `on`"),
        ('{"pipeline": "add", "input": {}, "people": {"ok": []}}', "says yes, no or veto"),
        ('{"pipeline": "add", "input": {}, "expect": {"fn": []}}', "there is no fn `[]`"),
        ('{"pipeline": "add", "input": {}, "expect": {"judge": {}}}', "no pipeline `{}`"),
        ('{"pipeline": "add", "input": {}, "expect": {"judge": "says"}}', "neither right nor"),
        ('{"pipeline": "add", "input": {}, "expect": {"called": "pay"}}', "is a list of tools"),
        ('{"pipeline": "add", "input": {}, "expect": {"not_called": [1]}}', "no tool `1`"),
        ('{"pipeline": "add", "input": {}, "expect": {"fields": []}}', "`fields` is an object"),
        (
            '{"pipeline": "add", "input": {}, "expect": {"fields": {"a": '
            '{"near": "1", "within": 1}}}}',
            "are numbers",
        ),
        ('{"case": null, "pipeline": "add", "input": {}}', "`case` is a text or a number"),
        ('{"case": [], "pipeline": "add", "input": {}}', "`case` is a text or a number"),
        ('{"case": NaN, "pipeline": "add", "input": {}}', "`case` is a text or a number"),
        ('{"case": "a", "case": "b", "pipeline": "add", "input": {}}', "`case` stands twice"),
        (
            '{"pipeline": "add", "input": {}, "expect": {"value": 1, "value": 2}}',
            "`value` stands twice",
        ),
        ("", "there are no cases"),
        *(
            (f'{{"pipeline": "{pipeline}", "input": {{{given}}}, "expect": {expect}}}', says)
            for pipeline, given, expect, says in (
                ("add", ADDED, '{"fields": {"nothing": 1}}', "the answer has no `nothing`"),
                ("add", ADDED, '{"fields": {"totl": 1}}', "did you mean `total`?"),
                ("add", ADDED, '{"fields": {"total.x": 1}}', "`total` has no parts"),
                ("add", ADDED, '{"fields": {"total": "much"}}', 'never "much"'),
                ("add", ADDED, '{"fields": {"total": true}}', "it is a number"),
                ("add", ADDED, '{"fields": {"name": {"near": 1, "within": 1}}}', "it is a text"),
                ("add", ADDED, '{"value": {"total": 3.5}}', "lacks `name`, which every answer"),
                ("add", ADDED, '{"value": {"total": 1, "name": "", "to": 2}}', "has no `to`"),
                ("add", ADDED, '{"value": "3.5"}', "it is an object"),
                ("shapes", '"n": 1', '{"value": {"kind": "c"}}', "lacks"),
                ("shapes", '"n": 1', '{"fields": {"kind": "wall"}}', "did you mean `ball`?"),
                ("shapes", '"n": 1', '{"fields": {"parts.2.size": 1}}', "from 0 to 1"),
                ("shapes", '"n": 1', '{"fields": {"parts.size": 1}}', "is a list and has no"),
                ("shapes", '"n": 1', '{"fields": {"parts": [1]}}', "it is an object"),
                ("shapes", '"n": 1', '{"fields": {"flat": 1}}', "it is true or false"),
                ("shapes", '"n": 1', '{"fields": {"parts": 5}}', "it is a list"),
                ("shapes", '"n": 1', '{"fields": {"parts.²": 1}}', "from 0 to 1"),
                ("shapes", '"n": 1', f'{{"fields": {{"parts.{HUGE}": 1}}}}', "from 0 to 1"),
                ("add", ADDED, '{"fields": {"total": "nan"}}', "it is a number"),
                ("add", ADDED, '{"fields": {"total": NaN}}', "it is a number"),
                *(
                    ("add", ADDED, f'{{"fields": {{"total": {one}}}}}', "are numbers")
                    for one in (
                        f'{{"near": {HUGE}, "within": 1}}',
                        '{"near": 1, "within": -1}',
                        '{"near": NaN, "within": 1}',
                    )
                ),
                ("add", ADDED, '{"role": "boss"}', "a run that is answered has no `role`"),
                ("add", ADDED, '{"code": "x"}', '"outcome": "failed"'),
                ("add", ADDED, '{"outcome": "failed", "reason": "x"}', "has no `reason`"),
                ("add", ADDED, '{"outcome": "failed", "code": 3}', "`code` is a text"),
                ("add", ADDED, '{"outcome": "escalated", "role": "bos"}', "did you mean `boss`?"),
            )
        ),
    ],
)
def test_bad_sets_are_told_with_their_line(folder: Path, row: str, says: str) -> None:
    Path("golden.jsonl").write_text(f"\n{row}\n")
    said = golden(code=1).output
    assert says in said
    assert "golden.jsonl`, line" in said


def test_a_pipeline_that_is_not_there(folder: Path) -> None:
    write_set({"pipeline": "add", "input": {"a": 1, "b": 2, "name": "x"}, "expect": {}})
    assert "did you mean `add`?" in golden("ad", code=2).output


def test_what_is_answered_now_is_recorded(folder: Path) -> None:
    kept = case("kept", {"value": {"total": 0, "name": ""}})
    write_set(kept, case("new", None), case("much", None, a=99, b=2, name="x"))
    assert "nothing is expected of `new`" in golden(code=2).output
    golden("--record")
    rows = [json.loads(line) for line in Path("golden.jsonl").read_text().splitlines()]
    assert rows[0] == kept
    assert rows[2]["expect"] == {"outcome": "escalated", "role": "boss", "reason": "small"}
    assert as_json(code=1)["passed"] == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_ends_at_its_end_alone(folder: Path, end: str) -> None:
    """JSON may have separators of lines and pages in its texts, and half a character."""
    given = '"pipeline": "add", "input": {"a": 1, "b": 2, "name": "x\u2028\u0085y"}'
    lines = [f'{{"case": "q\u2028r", {given}}}', f'{{"case": "\\ud800", {given}}}', ""]
    Path("golden.jsonl").write_bytes(end.join(lines).encode())
    assert "2 cases recorded" in golden("--record").output
    assert as_json()["passed"] == 2
    kept = Path("golden.jsonl").read_bytes().decode()
    rows = [json.loads(line) for line in kept.split(end) if line]
    assert [row["case"] for row in rows] == ["q\u2028r", "\ud800"]
    assert {row["expect"]["value"]["name"] for row in rows} == {"x\u2028\u0085y"}


def test_two_versions_on_the_same_cases(folder: Path) -> None:
    """12 cases flip: 11 that got worse against 1 is no chance (26 of 4096 in both tails)."""
    other = PROGRAM.replace("a + b <= $100", "a + b <= $10")
    other = other.replace('name != ""', 'name != "" and name != "odd"')
    Path("before.pipe").write_text(PROGRAM.replace('name != ""', 'name != "" and name != "fixed"'))
    Path("main.pipe").write_text(other.replace(' and name != "odd"', ""))
    write_set(
        *(case(f"w{n}", {"fields": {"name": "x"}}, a=20, b=2, name="x") for n in range(11)),
        case("b", {"fields": {"name": "fixed"}}, a=1, b=2, name="fixed"),
        case("same", {"fields": {"name": "x"}}, a=1, b=2, name="x"),
    )
    found = as_json("--against", "before.pipe", code=1)["against"]
    assert (len(found["worse"]), found["better"], found["same"]) == (11, ["b"], 1)
    tail = sum(comb(12, k) for k in (11, 12)) / 2**12
    assert found["p_worse"] == pytest.approx(tail)
    assert found["p_value"] == pytest.approx(2 * tail)
    assert "it is worse" in golden("--against", "before.pipe", code=1).output


def test_against_a_git_revision(folder: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=folder,
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    git("add", "main.pipe")
    git("commit", "-qm", "one")
    Path("main.pipe").write_text(PROGRAM.replace("<= $100", "<= $1"))
    write_set(case("one", {"value": VALUE}))
    said = golden("--against", "HEAD").output
    assert "worse than HEAD: one" in said
    assert "this may be chance" in said
    golden("--against", "nowhere", code=2)


class Flaky:
    """A model that says right so many times of four."""

    name = "lab"

    def __init__(self, right: int) -> None:
        self.right, self.asked = right, 0

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.asked += 1
        value = "right" if self.asked % 4 < self.right else "wrong"
        return ModelAnswer(value, Usage(1_000_000, 0), request.model)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


ASKS = """
provider lab { kind fake }
tier small { provider lab model "s" price $1 in, $1 out context 9M tokens }
prompt say(x: text) \"\"\"{{ x }}\"\"\"
pipeline main(x: text) -> text {
  step s: text max 9 tokens = ask say(x) by small { output 10 tokens max } else fail "no"
  return s
}
"""


def run_set(folder: Path, model: Flaky, purse: Purse, cases: int, times: int) -> SetRuns:
    (folder / "asks.pipe").write_text(ASKS)
    loaded = pipelang.load(folder / "asks.pipe", allow=RULES)
    purse.know(loaded.program, "main", Decimal(1))
    rows = [{"case": n, "input": {"x": "y"}, "expect": {"value": "right"}} for n in range(cases)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    runner = SetRunner(loaded, lambda: Runtime(providers={"lab": model}), purse)
    return asyncio.run(runner.run(read_set(text, loaded.program, None), times))


def test_all_runs_of_a_case_must_pass(folder: Path) -> None:
    made = run_set(folder, Flaky(3), Purse(None), cases=5, times=4)
    found = summary(made, [])
    assert (found.passed, found.run_passes, found.runs) == (0, 15, 20)
    assert len(found.unsteady) == 5
    steady = run_set(folder, Flaky(4), Purse(None), cases=5, times=4)
    assert summary(steady, []).passed == 5
    assert len(comparison(made, steady).better) == 5
    # Five of five: Clopper and Pearson have 0.025 ** (1/5) for the lower end.
    assert summary(steady, []).low == pytest.approx(0.025**0.2)


def test_no_run_begins_that_the_budget_might_not_cover(folder: Path) -> None:
    """A run costs a dollar: of 3.50 three are made."""
    purse = Purse(Decimal("3.50"))
    made = run_set(folder, Flaky(4), purse, cases=5, times=1)
    assert (len(made.runs), len(made.left), purse.spent) == (3, 2, Decimal(3))


BOUNDED = """
provider lab { kind simulated available 100% }
tier small {
  provider lab model "s" price $1 in, $100 out latency 1s median transient 0% context 8k tokens
}
prompt say(x: text max 9 tokens) \"\"\"{{ x }}\"\"\"
pipeline main(x: text max 9 tokens) -> text {
  step s: text max 90 tokens = ask say(x) by small { output 90 tokens max retry 2 } else fail "no"
  return s
}
prompt tell(x: text) \"\"\"{{ x }}\"\"\"
pipeline free(x: text) -> text {
  step s: text max 9 tokens = ask tell(x) by open { output 9 tokens max }
  return s
}
tier open { provider lab model "o" price $1 in, $100 out latency 1s median transient 0% }
"""


@pytest.mark.parametrize("budget", ["0.002", "0.02", "0.03", "0.05"])
def test_the_budget_is_never_passed(folder: Path, budget: str) -> None:
    """What a run can cost at most is put aside before it begins: the first one, too."""
    (folder / "main.pipe").write_text(BOUNDED)
    write_set(*({**case(f"{n}", {}, "main", x="y")} for n in range(40)))
    made = as_json("--budget", budget, "--seed", "3", code=1)
    loaded = pipelang.load(folder / "main.pipe", allow=RULES)
    worst = analyse(loaded.program, loaded.program.pipelines["main"]).numbers["cost.worst"].high
    assert worst is not None
    spent = float(made["cost"])
    assert spent <= float(budget)
    assert (made["runs"] == 0) == (worst > float(budget))
    assert spent + worst > float(budget)
    assert made["runs"] + len(made["left"]) == 40


def test_a_budget_needs_runs_whose_cost_is_bounded(folder: Path) -> None:
    (folder / "main.pipe").write_text(BOUNDED)
    write_set(case("one", {}, "free", x="y"))
    said = golden("--budget", "1", code=2).output
    assert "nothing bounds what a run of `free`" in said
    assert "give `free` a budget" in said


def test_a_judges_mistakes_are_in_the_interval(folder: Path) -> None:
    made = run_set(folder, Flaky(4), Purse(None), cases=60, times=2)
    plain, judged = summary(made, []), summary(made, [JudgeAccuracy("j", 0.9, 0.95)])
    assert judged.low == pytest.approx((plain.low - 0.1) / 0.9)
    assert judged.high == 1.0
    assert summary(made, [JudgeAccuracy("j", None, None)]).low == 0.0
