"""Sources of a decision's confidence: the provider's probabilities, or the model's own word."""

from __future__ import annotations

from pipelang.semantics import program as p

_DECISION_MODELS = {"openai": frozenset({"gpt-6-luna"})}
"""Models that answer typed questions with probabilities, by the kind of their provider."""

PROBABILITIES, WORD = "probabilities", "word"


def tells_probabilities(kind: str, model: str | None) -> bool:
    """Whether a model at a kind of provider tells how probable each alternative is."""
    return model in _DECISION_MODELS.get(kind, frozenset())


def source_of(program: p.Program, tier: str) -> str:
    """The source of a decision's confidence that a tier gives: `probabilities`, or its `word`."""
    one = program.tiers[tier]
    kind = program.providers[one.provider].kind
    return PROBABILITIES if tells_probabilities(kind, one.model) else WORD
