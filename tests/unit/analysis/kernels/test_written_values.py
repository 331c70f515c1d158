"""A value that is written down in a call is as long as it is, whatever its type would allow."""

from __future__ import annotations

import json
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

HEAD = """
provider px { kind simulated available 100% }
tier fa {
  provider px price $1 in, $5 out latency 500ms median, 2s p95 transient 0% context 200k tokens
}
type Note { title: text tags: [text] more: text? }
prompt plain(q: text) \"\"\"<{{ q }}>\"\"\"
prompt loop(xs: [text]) \"\"\"{% for x in xs %}({{ x }}){% endfor %}\"\"\"
prompt whole(xs: [text]) \"\"\"{{ xs }}\"\"\"
prompt parts(n: Note)
\"\"\"{{ n.title }}:{% for t in n.tags %} {{ t }}{% endfor %}{% if n.more %}+{{ n.more }}{%
endif %}\"\"\"
pipeline p(small: text max 4 tokens, k: bool) -> text max 10 tokens {
  LETS
  step s: text max 10 tokens = ask CALL by fa { accuracy 80% timeout 1m output 10 tokens max }
  return s
}
"""


def tokens(folder: Path, call: str, lets: str = "") -> dict[str, Any]:
    """The tokens of the prompt of a call: those of the run less the answer's ten."""
    path = folder / "p.pipe"
    path.write_text(HEAD.replace("LETS", lets).replace("CALL", call), encoding="utf-8")
    report = report_json([check_file(str(path))])
    errors = [d["message"] for d in report["diagnostics"] if d["severity"] == "error"]
    assert not errors, errors
    found = report["pipelines"]["p"]["tokens"]
    return {name: found[name]["value"] - 10 for name in ("mean", "worst")}


TEXTS = ["", "a", "Please answer.", 'a "quoted"\nline \\ and ümläut', "x" * 5000]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_as_long_as_it_is(tmp_path: Path, text: str) -> None:
    written = json.dumps(text, ensure_ascii=False)
    inside = len(written.encode()) - 2  # what a text's `max` counts
    found = tokens(tmp_path, f"plain({written})")
    assert found["worst"] == ceil(inside / 3) + 1  # and `<>`
    assert found["mean"] == pytest.approx((inside + 2) / 4)
    assert found == tokens(tmp_path, "plain(z)", f"let z = {written}")


@pytest.mark.parametrize(("first", "second"), list(product(TEXTS[:3], TEXTS[2:])))
def test_of_a_choice_the_longest_counts(tmp_path: Path, first: str, second: str) -> None:
    one, two = (json.dumps(text, ensure_ascii=False) for text in (first, second))
    chosen = tokens(tmp_path, f"plain(if k then {one} else {two})")
    alone = [tokens(tmp_path, f"plain({text})") for text in (one, two)]
    assert chosen == {name: max(each[name] for each in alone) for name in chosen}
    matched = tokens(tmp_path, f"plain(match k {{ true => {one} false => {two} }})")
    assert matched == chosen


def test_what_a_choice_may_be_besides_counts_by_its_type(tmp_path: Path) -> None:
    assert tokens(tmp_path, 'plain(if k then small else "ab")')["worst"] == 4 + 1
    assert tokens(tmp_path, 'plain(if k then small else "abcdefabcdefabcdef")')["worst"] == 6 + 1


@pytest.mark.parametrize("items", [[], ["a"], ["a", "bcd", "efghij"], ['"', "\n"] * 20])
def test_a_list_has_the_elements_that_stand_in_it(tmp_path: Path, items: list[str]) -> None:
    written = json.dumps(items)
    longest = max((ceil((len(json.dumps(item)) - 2) / 3) for item in items), default=0)
    assert tokens(tmp_path, f"loop({written})")["worst"] == (
        len(items) * longest + ceil(2 * max(len(items), 1) / 3)
    )
    whole = tokens(tmp_path, f"whole({written})")["worst"]
    assert ceil(len(written) / 3) <= whole <= ceil((len(written) + 2) / 3)


def test_parts_of_a_record_count_each(tmp_path: Path) -> None:
    note = '{title: "abcdef", tags: ["x", "yyyyyyyyy"], more: MORE}'
    least = tokens(tmp_path, f"parts({note})".replace("MORE", "none"))["worst"]
    assert least == 2 + 2 * 3 + 1  # the title, two tags, `:`, two spaces
    assert tokens(tmp_path, f"parts({note})".replace("MORE", '"zzz"'))["worst"] == 2 + 6 + 1 + 2
    assert tokens(tmp_path, f"parts({note})".replace("MORE", "small"))["worst"] == 2 + 6 + 4 + 2


def test_choices_among_choices_are_gone_through_once(tmp_path: Path) -> None:
    lets = 'let a0 = if k then "a" else "bb"'
    for number in range(11):
        lets += f" let a{number + 1} = if k then a{number} else a{number}"
    assert tokens(tmp_path, "plain(a11)", lets)["worst"] == 1 + 1
