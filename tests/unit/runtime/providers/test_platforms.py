"""Claude at other houses: credentials, addresses, and what is missing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipelang.diagnostics import Span
from pipelang.runtime.providers.anthropic_platforms import (
    BedrockProvider,
    FoundryProvider,
    VertexProvider,
)
from pipelang.runtime.providers.kinds import SDK_KINDS, has_key
from pipelang.runtime.providers.protocol import ModelFault, ModelProvider
from pipelang.runtime.shared.batching import BatchProvider
from pipelang.semantics import program as p
from pipelang.semantics.chance import Undeclared
from pipelang.testing.provider_suite import request

VARIABLES = (
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_BEARER_TOKEN_BEDROCK", "CLOUD_ML_REGION"),
    *("ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_AUTH_ACCESS_TOKEN"),
    *("ANTHROPIC_FOUNDRY_RESOURCE", "ANTHROPIC_FOUNDRY_API_KEY"),
    *(name for kind in SDK_KINDS.values() for name in kind.ambient),
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def fault(provider: ModelProvider) -> ModelFault:
    async def main() -> ModelFault:
        try:
            await provider.answer(request(timeout=20.0))
        except ModelFault as found:
            return found
        finally:
            await provider.close()
        raise AssertionError("it answered")

    found = asyncio.run(main())
    assert found.kind == "rejected", found
    return found


def declared(kind: str, key: str | None = None) -> p.Provider:
    return p.Provider("lab", kind, key, None, Undeclared("lab.available"), Span("", 0, 0))


def test_addresses_follow_the_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "bedrock-runtime.us-east-1.amazonaws.com" in repr(BedrockProvider("k"))
    assert "'aiplatform.googleapis.com'" in repr(VertexProvider("k"))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("CLOUD_ML_REGION", "europe-west4")
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_RESOURCE", "ours")
    assert "bedrock-runtime.eu-central-1.amazonaws.com" in repr(BedrockProvider("k"))
    assert "europe-west4-aiplatform.googleapis.com" in repr(VertexProvider("k"))
    assert "ours.services.ai.azure.com" in repr(FoundryProvider("k"))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "ANTHROPIC_FOUNDRY_RESOURCE" in fault(FoundryProvider("k")).message
    told = fault(FoundryProvider(None, "http://127.0.0.1:9")).message
    assert "ANTHROPIC_FOUNDRY_API_KEY" in told
    assert "ANTHROPIC_VERTEX_PROJECT_ID" in fault(VertexProvider("k")).message
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "ours")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    told = fault(VertexProvider(None, "http://127.0.0.1:9")).message
    assert "credentials" in told


def test_bedrock_without_a_key_and_without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    monkeypatch.setitem(sys.modules, "boto3", None)
    told = fault(BedrockProvider(None, "http://127.0.0.1:9")).message
    assert "AWS_BEARER_TOKEN_BEDROCK" in told
    assert "pipelang-dsl[bedrock]" in told


def test_a_platforms_own_credentials_count_as_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_key(declared("anthropic_bedrock"))
    assert not has_key(declared("anthropic_vertex"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/key.json")
    assert has_key(declared("anthropic_bedrock"))
    assert has_key(declared("anthropic_vertex"))
    # A key that the program names has to be there.
    assert not has_key(declared("anthropic_bedrock", "env:NO_SUCH_KEY"))
    assert not has_key(declared("anthropic_foundry"))


def test_platforms_take_no_batches() -> None:
    for provider in (BedrockProvider("k"), VertexProvider("k"), FoundryProvider("k")):
        assert not isinstance(provider, BatchProvider)
