"""Budgets and efforts that models take, by the names that makers and platforms give them."""

from __future__ import annotations

import pytest

from pipelang.semantics.kernels.thinking import Budgets, budgets_of, has_effort, takes_budget


@pytest.mark.parametrize(
    ("kind", "model", "budgets", "told", "effort"),
    [
        ("anthropic", "claude-3-5-haiku-latest", None, True, False),
        ("anthropic", "claude-3-7-sonnet-20250219", Budgets(1024), True, False),
        ("anthropic", "claude-opus-4-20250514", Budgets(1024), True, False),
        ("anthropic", "claude-opus-4-5-20251101", Budgets(1024), True, True),
        ("anthropic", "claude-sonnet-4-6", Budgets(1024), True, True),
        ("anthropic_bedrock", "us.anthropic.claude-haiku-4-5-v1:0", Budgets(1024), True, False),
        ("anthropic_vertex", "claude-sonnet-4-5@20250929", Budgets(1024), True, False),
        ("anthropic", "claude-opus-4-7", Budgets(), False, True),
        ("anthropic", "claude-haiku-5-5", Budgets(), False, True),
        ("anthropic_foundry", "our-deployment", Budgets(1024), True, True),
        ("google", "gemini-2.0-flash", None, True, False),
        ("google", "gemini-2.5-flash-lite", Budgets(512, 24_576), True, False),
        ("google", "gemini-2.5-flash", Budgets(1, 24_576), True, False),
        ("google", "gemini-2.5-pro", Budgets(128, 32_768), True, False),
        ("google", "gemini-3.8-flash", Budgets(), False, True),
        ("google", "gemini-4-argon", Budgets(), False, True),
        ("openai", "gpt-6-luna", None, True, True),
        ("openai", "gpt-4o-mini-2024-07-18", None, True, False),
        ("openai", "gpt-4.1", None, True, False),
        ("openai", "ft:gpt-4.1-mini-2025-04-14:acme::x", None, True, False),
        ("openai", "gpt-3.5-turbo", None, True, False),
        ("openai", "chatgpt-4o-latest", None, True, False),
        ("openai", "gpt-5-chat-latest", None, True, False),
        ("openai", "gpt-5-mini", None, True, True),
        ("openai", "o1-mini", None, True, False),
        ("openai", "o1", None, True, True),
        ("openai", "o4-mini", None, True, True),
        ("openai", "our-deployment", None, True, True),
        ("openai", "gpt-40", None, True, True),
        ("other", "openai:gpt-4o", None, True, False),
        ("other", "openai-chat:gpt-4.1", None, True, False),
        ("other", "openai:gpt-6-luna", None, True, True),
        ("other", "mistral:gpt-4o", None, True, True),  # a name that says nothing there
        ("openai_compatible", "claude-haiku-4-5", None, True, True),
        ("other", "google-gla:gemini-2.5-pro", None, True, True),
    ],
)
def test_models(kind: str, model: str, budgets: Budgets | None, told: bool, effort: bool) -> None:
    assert budgets_of(kind, model) == budgets
    assert takes_budget(model) is told
    assert has_effort(kind, model) is effort
