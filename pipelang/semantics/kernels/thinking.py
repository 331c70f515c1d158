"""The kernel of thinking: which models may be told how much to think, and within which bounds.

Sources, read on 2026-11-30: platform.claude.com/docs "Extended thinking" and "Effort",
ai.google.dev/gemini-api/docs/thinking, and the profiles of pydantic-ai 2 for single models; for
OpenAI on 2026-12-01 these profiles, and issue 11819 of BerriAI/litellm for o1-mini. A model whose
name says nothing is taken to have what its maker has.
"""

from __future__ import annotations

import re

from pipelang.records import dataclass

MAKERS = ("anthropic", "anthropic_bedrock", "anthropic_vertex", "anthropic_foundry", "google")
"""The kinds of providers whose models think within a budget of tokens."""

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:-(\d{1,2}))?(?!\d)")
_GEMINI = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_WITHOUT_REASONING = re.compile(
    r"(?:ft:)?(?:(?:chat)?gpt-[34](?!\d)|gpt-5-chat|o1-(?:mini|preview))"
)
"""The models of OpenAI that turn a request down which says how much to reason."""
_OPENAI = ("openai", "openai-chat", "openai-responses")
"""The names of OpenAI where a model is named `maker:model`."""

_FIRST_THINKING, _LAST_BUDGETS = (3, 7), (4, 6)
_FIRST_EFFORT = {"opus": (4, 5)}
_LEAST = 1_024
_GEMINI_BUDGETS = {"flash-lite": (512, 24_576), "flash": (1, 24_576), "pro": (128, 32_768)}


@dataclass(frozen=True, slots=True)
class Budgets:
    """The budgets that a model takes, in tokens; `most` None where only its output is limited."""

    least: int = 1
    most: int | None = None


def claude(model: str | None) -> tuple[int, int] | None:
    """The version of a model of Anthropic's, wherever it is offered; None for another name."""
    return _version(_CLAUDE, model)


def gemini(model: str | None) -> tuple[int, int] | None:
    """The version of a model of Google's; None for another name."""
    return _version(_GEMINI, model)


def _version(form: re.Pattern[str], model: str | None) -> tuple[int, int] | None:
    found = form.search(model or "")
    return None if found is None else (int(found[1]), int(found[2] or 0))


def takes_budget(model: str | None) -> bool:
    """Whether a model of Anthropic or Google is told its budget as a number; later ones decide how
    much they think, and only their whole output is limited.
    """
    one, other = claude(model), gemini(model)
    if one is not None:
        return one <= _LAST_BUDGETS
    return other is None or other < (3, 0)


def budgets_of(kind: str, model: str | None) -> Budgets | None:
    """The budgets that a model at a kind of provider takes; None where it takes none."""
    if kind not in MAKERS:
        return None
    if not takes_budget(model):
        return Budgets()
    if kind != "google":
        version = claude(model)
        return None if version is not None and version < _FIRST_THINKING else Budgets(_LEAST)
    version = gemini(model)
    if version is None:
        return Budgets()
    if version < (2, 5):
        return None
    found = next((two for name, two in _GEMINI_BUDGETS.items() if name in (model or "")), None)
    return Budgets(*found) if found is not None else Budgets()


def has_effort(kind: str, model: str | None) -> bool:
    """Whether a model at a kind of provider is told an effort."""
    if kind == "other":
        # The library leaves an effort out where a model has none, and says nothing.
        maker, _, model = (model or "").partition(":")
        kind = "openai" if maker in _OPENAI else kind
    if kind == "openai":
        return _WITHOUT_REASONING.match(model or "") is None
    if kind not in MAKERS:
        return True
    one, other = claude(model), gemini(model)
    if one is not None:
        family = "opus" if "opus" in (model or "") else ""
        return one >= _FIRST_EFFORT.get(family, _LAST_BUDGETS)
    return other is None or other >= (3, 0)
