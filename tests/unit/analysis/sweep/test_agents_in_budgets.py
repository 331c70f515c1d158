"""Budgets around an agent that may run a pipeline: what cannot be said is left open."""

from __future__ import annotations

import json
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
pipeline change(name: text max 20 tokens) -> text max 20 tokens {
  step found = call look(name) else escalate to desk
  return found
}
pipeline p(task: text max 90 tokens) -> text max 50 tokens {
  budget $0.01 else escalate to desk
  traffic { hard: 15% }
  step done: text max 50 tokens = agent work(task) by model with look, change {
    steps 9 turns 3 retry 1 accuracy 90%, 60% if hard
    output 40 tokens mean, 90 tokens max timeout 9s
  } else escalate to desk
  return done
}
"""


def test_an_agent_with_a_pipeline_under_a_tight_budget_is_analysed(tmp_path: Path):
    file = tmp_path / "p.pipe"
    file.write_text(PROGRAM, "utf-8")
    done = command_text("check", "--format", "json", str(file))
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert "P601" in {found["code"] for found in report["diagnostics"]}
    right = report["pipelines"]["p"]["outcomes"]["success"]
    assert right["low"] <= right["high"]
