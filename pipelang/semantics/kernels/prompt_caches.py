"""The kernel of prompt caches: what of a prompt a provider keeps for calls that begin the same.

Sources: "Prompt caching" of platform.claude.com/docs (marked parts, for 5 minutes from their last
use; from 1,024 to 4,096 tokens on, by model) and of developers.openai.com/api/docs/guides (unasked
from 1,024 tokens on, for 5 to 10 minutes without use), looked up on 2026-11-30 in what others quote
of these pages (docs.orq.ai/docs/proxy/prompt-caching; copies of 2026-03). Google's models keep
prompts unasked as well, and nobody says for how long.
"""

from __future__ import annotations

from pipelang.records import dataclass

LEAST = 1024
"""Tokens below which no provider keeps a prompt."""


@dataclass(frozen=True, slots=True)
class PromptCache:
    """The cache of a kind of provider: whether only what a request marks is kept, and for how many
    seconds from its last use; None where nobody says it.
    """

    marked: bool
    lasts: int | None


_MARKED, _UNASKED = PromptCache(True, 300), PromptCache(False, None)

_CACHES = {
    "anthropic": _MARKED,
    "anthropic_bedrock": _MARKED,
    "anthropic_vertex": _MARKED,
    "anthropic_foundry": _MARKED,
    "openai": PromptCache(False, 300),
    "google": _UNASKED,
    "openai_compatible": _UNASKED,
    "other": _UNASKED,
}


def cache_of(kind: str) -> PromptCache | None:
    """The cache of a kind of provider; None for one of which nothing is known."""
    return _CACHES.get(kind)
