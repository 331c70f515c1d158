"""Sources of a decision's confidence: the provider's probabilities, or the model's own word."""

from __future__ import annotations

import re

from pipelang.semantics import program as p

_DECISION_MODELS = {"openai": frozenset({"gpt-6-luna"})}
"""Models that answer typed questions with probabilities, by the kind of their provider."""

PROBABILITIES, WORD = "probabilities", "word"
EITHER = "either"
"""The source at a server of which only its answers say whether it tells probabilities."""

_LOG_PROBABILITIES = {"openai": re.compile(r"(ft:)?gpt-(4o|4\.1)\b")}
"""Models that tell the log-probabilities of what they write: those that do not think first."""


def decides(kind: str, model: str | None) -> bool:
    """Whether a model at a kind of provider answers typed questions, and writes no text."""
    return model in _DECISION_MODELS.get(kind, frozenset())


def tells_log_probabilities(kind: str, model: str | None) -> bool:
    """Whether a model at a kind of provider tells how probable each token of its answer was."""
    named = _LOG_PROBABILITIES.get(kind)
    return named is not None and named.match(model or "") is not None


def tells_probabilities(kind: str, model: str | None) -> bool:
    """Whether a model at a kind of provider tells how probable the alternative that it gives is."""
    return decides(kind, model) or tells_log_probabilities(kind, model)


def source_of(program: p.Program, tier: str) -> str:
    """The source of a decision's confidence that a tier gives: `probabilities`, its `word`, or
    `either`.
    """
    one = program.tiers[tier]
    kind = program.providers[one.provider].kind
    if kind == "openai_compatible":
        return EITHER
    return PROBABILITIES if tells_probabilities(kind, one.model) else WORD
