"""Evidence says what its confidences are; a threshold on the other kind is told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.cli.evidence.command import command

PIPE = """
provider lab { kind openai available 99.9% }
tier judge { provider lab model "gpt-6-luna" price $1 in, $2 out latency 1s median transient 1% }
tier other { provider lab model "gpt-6-sol" price $1 in, $2 out latency 1s median transient 1% }
enum Topic { billing other_things }
prompt sort(mail: text) \"\"\"{{ mail }}\"\"\"
pipeline triage(mail: text max 90 tokens) -> Topic {
  step topic: decision Topic = ask sort(mail) by WHO {
    accuracy RATE output 20 tokens max timeout 30s
  } else fail "unsorted"
  return topic.value
}
"""


def rows(*sources: str | None) -> str:
    lines = []
    for at, source in enumerate(sources):
        row = {"confidence": 0.5 + at / 100, "correct": at % 3 > 0}
        lines.append(json.dumps(row if source is None else {**row, "confidence_from": source}))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("who", "sources", "told"),
    [
        ("judge", ["word"] * 6, 1),
        ("judge", ["probabilities"] * 6, 0),
        ("judge", ["word", "probabilities"] * 3, 0),
        ("judge", [None] * 6, 0),
        ("other", ["probabilities"] * 6, 1),
        ("other", ["word"] * 6, 0),
    ],
)
def test_a_threshold_on_the_other_kind(
    tmp_path: Path, who: str, sources: list[str | None], told: int
) -> None:
    (tmp_path / "e.jsonl").write_text(rows(*sources))
    for rate in ('from "e.jsonl"', f'{who} from "e.jsonl"'):
        text = PIPE.replace("WHO", who).replace("RATE", rate)
        (tmp_path / "a.pipe").write_text(text)
        found = check_file(str(tmp_path / "a.pipe")).diagnostics
        assert sum(one.rule.code == "P615" for one in found) == told, found


def test_the_calibration_of_each_kind_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    file.write_text(rows(*["word"] * 20, *["probabilities"] * 30, None))
    told = CliRunner().invoke(command, ["show", str(file)])
    assert "the model's own word" in told.output
    assert "of 20 rows right" in told.output
    assert "probabilities that were told" in told.output
    found = json.loads(CliRunner().invoke(command, ["show", str(file), "--format", "json"]).output)
    assert found["rows"] == 51
    assert {name: one["rows"] for name, one in found["by_source"].items()} == {
        "word": 20,
        "probabilities": 30,
    }
    assert all(one["ece"] is not None for one in found["by_source"].values())


def test_without_it_nothing_is_said(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    file.write_text(rows(None, None, None))
    found = json.loads(CliRunner().invoke(command, ["show", str(file), "--format", "json"]).output)
    assert "by_source" not in found
    assert "of these" not in CliRunner().invoke(command, ["show", str(file)]).output


def test_another_word_is_a_flaw(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    file.write_text(rows("guess"))
    told = CliRunner().invoke(command, ["show", str(file)])
    assert told.exit_code == 1
    assert '`confidence_from` must be "probabilities" or "word"' in told.output
