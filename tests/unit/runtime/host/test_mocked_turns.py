"""A mock of an agent that has turns only, in a chain that goes on to a plain `ask`."""

from __future__ import annotations

from pathlib import Path

from ....warm import command_text

PROGRAM = """
provider lab { kind simulated available 100% }
tier model { provider lab model "any" price $1 in, $5 out transient 1% context 50k tokens }
role desk { responds 10m median, 1h p95 accuracy 99% }
prompt work(task: text max 90 tokens) \"\"\"Do: {{ task }}\"\"\"
tool look(name: text max 20 tokens) -> text max 20 tokens {
  python "tools:look" effect read timeout 2s succeeds 99%
}
pipeline p(task: text max 90 tokens) -> text max 50 tokens {
  step done: text max 50 tokens = agent work(task) by model with look {
    steps 3 accuracy 90% output 90 tokens max timeout 9s
  } else ask work(task) by model { accuracy 70% output 90 tokens max timeout 9s }
    else escalate to desk
  return done
}
test "it goes in circles" {
  given  p("x")
  mock   done = calls look(name: "a")
  mock   look = "b"
  expect escalated done
}
"""


def test_a_mock_of_turns_only_says_what_is_missing(tmp_path: Path):
    file = tmp_path / "p.pipe"
    file.write_text(PROGRAM, "utf-8")
    done = command_text("test", str(file))
    assert done.returncode == 1
    assert "internal error" not in done.stdout + done.stderr
    assert "the mock has turns only" in " ".join(done.stdout.split())
