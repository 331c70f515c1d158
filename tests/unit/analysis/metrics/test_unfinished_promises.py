"""Promises that a limit of work leaves open: nothing is undeclared that could be declared."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelang.interfaces.cli.check.command import command

TEXT = """provider lab { kind simulated available 99% }
tier small { provider lab price $1 in, $5 out latency 500ms median, 2s p95 transient 5% }
prompt sort(q: text max 9 tokens) \"\"\"{{ q }}\"\"\"
pipeline main(q: text max 9 tokens) -> text max 9 tokens {
  slo { success >= 50% latency.p95 <= 12s }
  step a: text max 9 tokens = ask sort(q) by small { ACCURACY timeout 9s output 9 tokens max }
  step b: text max 9 tokens = ask sort(a) by small { accuracy 90% timeout 9s output 9 tokens max }
  return b
}
"""


@pytest.mark.parametrize("accuracy", ["accuracy 90%", ""])
def test_the_reason_is_what_would_help(tmp_path: Path, accuracy: str) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(TEXT.replace("ACCURACY", accuracy))
    called = [str(file), "--no-cache", "--time-limit", "0.000000001"]
    said = " ".join(CliRunner().invoke(command, called).output.split())
    short = "latency.p95 <= 12s cannot be decided: `--time-limit` leaves too wide a range of it"
    assert (short in said) is (accuracy != ""), said
    assert ("undeclared" in said) is (accuracy == "")
    said = " ".join(CliRunner().invoke(command, called[:2]).output.split())
    assert "leaves too wide" not in said
