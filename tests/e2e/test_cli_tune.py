"""`pipelang tune` as people call it: what it says where it cannot begin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelang.interfaces.cli.tune import ASSUMED
from pipelang.semantics.elaborate.options.options import ASSUMABLE

from .test_cli_check import err, run

HEAD = """\
provider lab { kind simulated available 100% }
tier a { provider lab model "a" price $1 in, $5 out latency 1s median, 2s p95 transient 1% }
tier b { provider lab model "b" price $3 in, $9 out latency 1s median, 2s p95 transient 1% }
prompt guess(q: text max 9 tokens) \"\"\"{{ q }}\"\"\"
"""
MISSING = {
    "a cascade": ("ask guess(q) by cascade(a, b) until len(it) > 3 { accuracy a 90%, b 95% }", "",
                  {"s catches", "s false_alarms", "s correlation"}, {"correlation"}),
    "an accuracy": ("ask guess(q) by a { retry 1 }", "", {"s accuracy"}, {"accuracy"}),
    "a cache": ("ask guess(q) by a { cache 1h by q accuracy 90% }", "", {"s hits"}, {"hits"}),
    "hard cases": ("ask guess(q) by a { accuracy 90%, 50% if hard }", "", {"hard"}, {"hard"}),
    "a test": ("ask guess(q) by a { accuracy 90% }", "when len(s) > 3 { reject }",
               {"len(s) > 3 if right", "len(s) > 3 if wrong"}, set()),
}  # fmt: skip


@pytest.mark.parametrize(("action", "test", "named", "assumed"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_named_with_its_option(
    tmp_path: Path, action: str, test: str, named: set[str], assumed: set[str]
) -> None:
    """It said `m.s` for each, and to assume accuracies whatever was missing."""
    text = f"{HEAD}pipeline m(q: text max 9 tokens) -> text {{\n  step s: text = {action}\n"
    (tmp_path / "m.pipe").write_text(f"{text}  {test}\n  return s\n}}\n", "utf-8")
    done = run("tune", "m.pipe", cwd=tmp_path)
    assert done.returncode == 1
    first, help = err(done).splitlines()
    assert {*re.findall("`([^`]*)`", first)} == {"m", *named}
    said = help.partition("--assume ")[2]
    assert {word.partition("=")[0] for word in said.split(",") if word} == assumed
    if assumed:
        again = run("tune", "m.pipe", "--assume", said, cwd=tmp_path)
        assert assumed.isdisjoint(re.findall(r"`\w* ?(\w+)`", err(again).partition("\n")[0]))


def test_examples_of_assumptions_are_of_all_that_can_be_assumed() -> None:
    assert {*ASSUMED} == {*ASSUMABLE}
