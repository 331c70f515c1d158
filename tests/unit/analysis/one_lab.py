"""Declares what pipelines of tests ask and hand over to: one model, one role."""

from __future__ import annotations

WORLD = """
provider lab { available 100% }
tier model { provider lab price $1 in, $5 out transient 0% latency 1s median, 3s p95
  context 100k tokens }
role desk { responds 15m median, 2h p95 accuracy 98% }
type Answer { body: text max 20 tokens confidence: probability }
prompt say(about: text max 200 tokens) \"\"\"{{ about }}\"\"\"
"""
