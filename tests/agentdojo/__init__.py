"""Attacks that nobody here wrote: the suites of AgentDojo as `.pipe` declarations.

Debenedetti et al., AgentDojo: A Dynamic Environment to Evaluate Prompt Injection Attacks and
Defenses for LLM Agents (NeurIPS 2024), the package `agentdojo`. It is heavy and never beside
pipelang: `worker.py` runs in an environment of its own and writes what it has as JSON,
`declare.py` makes tool declarations of that, and `effects.py` says what each tool does to the
world, which the package does not.

What of it is used is kept in `facts.json` (`tasks.py`), so the rest runs everywhere: `pipelines.py`
writes user tasks as pipelines, `reaching.py` says what an injection can reach in them and what the
check says, `acting.py` runs them, and `rates.py` counts for docs/agentdojo.md.
"""
