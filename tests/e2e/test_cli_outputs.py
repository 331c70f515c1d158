"""`--output` never replaces a file that was written by hand, or collected."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelang.interfaces.cli.commands import group

PIPE = """\
provider lab { kind simulated available 100% }
tier small { provider lab model "m" price $1 in, $5 out transient 1% context 100k tokens }
type Answer { body: text max 20 tokens confidence: probability }
prompt say(q: text) \"\"\"Say it: {{ q }}\"\"\"
pipeline p(q: text max 20 tokens) -> Answer {
  step a: Answer = ask say(q) by small { accuracy from "a.jsonl" timeout 9s } else reject
  return a
}
"""
ROWS = '{"confidence": 0.9, "correct": true}\n{"confidence": 0.5, "correct": false}\n'
MADE = [
    ["graph", "p.pipe"],
    ["compile", "p.pipe", "--to", "ir"],
    ["check", "p.pipe", "--format", "html"],
    ["tune", "p.pipe", "--format", "json"],
    ["evidence", "show", "a.jsonl", "--format", "json"],
    ["evidence", "show", "a.jsonl", "--format", "svg"],
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "p.pipe").write_text(PIPE)
    (tmp_path / "a.jsonl").write_text(ROWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", MADE, ids=" ".join)
@pytest.mark.parametrize("out", ["p.pipe", "a.jsonl", "made.out"])
def test_what_is_made_replaces_nothing_that_was_written(
    words: list[str], out: str, folder: Path
) -> None:
    result = CliRunner().invoke(group, [*words, "--output", out])
    assert (folder / "p.pipe").read_text() == PIPE
    assert (folder / "a.jsonl").read_text() == ROWS
    if out == "made.out":
        assert result.exit_code == 0, result.output
        assert (folder / out).stat().st_size
        again = CliRunner().invoke(group, [*words, "--output", out])
        assert again.exit_code == 0
    else:
        assert result.exit_code == 2
        assert f"`{out}` is there already" in result.output
