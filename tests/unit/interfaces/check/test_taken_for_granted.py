"""The assumptions of a prediction in words: whether evidence says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.taken_for_granted import taken_for_granted

TEXT = """
provider lab {{ kind simulated available 100% }}
tier small {{ provider lab model "m" price $1 in, $5 out transient 0% context 100k tokens }}
role desk {{ responds 1m median, 2m p95 accuracy 90% }}
tool look(x: text max 9 tokens) -> text max 9 tokens {{ effect read succeeds 99% timeout 1s }}
prompt say(x: text max 9 tokens) \"\"\"{{{{ x }}}}\"\"\"
pipeline p(x: text max 9 tokens) -> text max 9 tokens {{
  step a: text max 9 tokens = ask say(x) by small {{ accuracy 90% timeout 9s }}
  step b: text max 9 tokens = {action} {{ accuracy from "rows.jsonl" timeout 9s }}
  return b
}}
"""
ACTIONS = {"model": "ask say(a) by small", "person": "ask say(a) by desk", "tool": "call look(a)"}
DAY = {"as_of": "2026-11-01", "sampled": "all"}
PROMPT = DAY | {"prompt": "0123456789abcdef"}
MODEL = PROMPT | {"model": "m"}


@pytest.mark.parametrize(
    ("whose", "origin", "has_one"),
    [
        ("model", {}, False),
        ("model", DAY, False),
        ("model", PROMPT, False),
        ("model", MODEL, True),
        ("person", DAY, False),
        ("person", PROMPT, True),
        ("tool", {"sampled": "all"}, False),
        ("tool", DAY, True),
    ],
)
def test_rows_say_as_much_as_they_can(
    whose: str, origin: dict[str, str], has_one: bool, tmp_path: Path
) -> None:
    """A tool asks no prompt and no model, and people are no model: rows cannot say one."""
    rows = [*([origin] if origin else []), {"correct": True}, {"correct": False}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "p.pipe"
    path.write_text(TEXT.format(action=ACTIONS[whose]))
    checked = check_file(str(path))
    assert checked.program is not None, checked.diagnostics
    said = taken_for_granted(checked.program, checked.analyses[0])
    assert ("evidence holds" in said) == has_one
    assert any("has no origin" in one for one in said) != has_one


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ([], "`rows.jsonl` holds (it has no origin)"),
        ([{}, MODEL], "`rows.jsonl` holds (1 of 2 rows has no origin)"),
        ([{}, {}, MODEL], "`rows.jsonl` holds (2 of 3 rows have no origin)"),
        ([PROMPT, MODEL], "`rows.jsonl` holds (1 of 2 rows has no origin)"),
    ],
)
def test_rows_without_origin_are_counted(
    origins: list[dict[str, str]], said: str, tmp_path: Path
) -> None:
    rows = [{"correct": True} | origin for origin in origins or [{}, {}]]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "p.pipe"
    path.write_text(TEXT.format(action=ACTIONS["model"]))
    checked = check_file(str(path))
    assert checked.program is not None, checked.diagnostics
    assert said in taken_for_granted(checked.program, checked.analyses[0])
