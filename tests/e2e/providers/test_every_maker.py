"""Every built-in provider passes the public suite, by its maker's real SDK."""

from __future__ import annotations

import gc
import importlib

import pytest

from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.anthropic_platforms import (
    BedrockProvider,
    FoundryProvider,
    VertexProvider,
)
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.testing import (
    ChatDialect,
    GoogleDialect,
    MessagesDialect,
    ResponsesDialect,
    provider_suite,
)
from pipelang.testing.dialects import KEY
from pipelang.testing.platform_dialects import BedrockDialect, FoundryDialect, VertexDialect


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    """What SDKs are made of is no garbage: the suite looks for some with every maker, twice."""
    for sdk in ("anthropic", "google.genai", "openai"):
        importlib.import_module(sdk)
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vertex wants to know who pays, and where the model is."""
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "our-project")
    monkeypatch.setenv("CLOUD_ML_REGION", "europe-west1")


TestAnthropic = provider_suite(lambda url: AnthropicProvider(KEY, url), MessagesDialect())
TestOpenAI = provider_suite(lambda url: OpenAIProvider(KEY, url), ResponsesDialect())
TestGoogle = provider_suite(lambda url: GoogleProvider(KEY, url), GoogleDialect())
TestCompatible = provider_suite(lambda url: OpenAICompatibleProvider(KEY, url), ChatDialect())
TestCompatibleWithoutKey = provider_suite(
    lambda url: OpenAICompatibleProvider(None, url), ChatDialect(), key=None
)
TestAnthropicStreaming = provider_suite(
    lambda url: AnthropicProvider(KEY, url), MessagesDialect(), streaming=True
)
TestOpenAIStreaming = provider_suite(
    lambda url: OpenAIProvider(KEY, url), ResponsesDialect(), streaming=True
)
TestGoogleStreaming = provider_suite(
    lambda url: GoogleProvider(KEY, url), GoogleDialect(), streaming=True
)
TestCompatibleStreaming = provider_suite(
    lambda url: OpenAICompatibleProvider(KEY, url), ChatDialect(), streaming=True
)
TestBedrock = provider_suite(lambda url: BedrockProvider(KEY, url), BedrockDialect())
TestVertex = provider_suite(lambda url: VertexProvider(KEY, url), VertexDialect())
TestFoundry = provider_suite(lambda url: FoundryProvider(KEY, url), FoundryDialect())
