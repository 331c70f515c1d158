"""The providers of Claude at other houses: Amazon Bedrock, Google Vertex AI, Microsoft Foundry.

The request and its answer are those of the Messages API; addresses and credentials are the
platform's own, by the SDK's clients. Where no key is given, Bedrock and Vertex take the credentials
of the environment they run in (a profile, a role, a service account), which the SDK looks for.
Where a model is, and whose project pays, comes from the platforms' own variables.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from pipelang.runtime.providers.anthropic import MessagesProvider, transport
from pipelang.runtime.providers.http_faults import clean
from pipelang.runtime.providers.protocol import ModelFault

if TYPE_CHECKING:
    from anthropic import AsyncAnthropicFoundry
    from anthropic.lib.bedrock import AsyncAnthropicBedrock
    from anthropic.lib.vertex import AsyncAnthropicVertex

_BEDROCK_REGION = "us-east-1"
_VERTEX_REGION = "global"


class BedrockProvider(MessagesProvider["AsyncAnthropicBedrock"]):
    """Answers requests with Claude models on Amazon Bedrock.

    With a key it is a Bedrock API key; without one requests are signed with the environment's AWS
    credentials.
    """

    name = "anthropic_bedrock"
    extra = "bedrock"
    key_variable = "AWS_BEARER_TOKEN_BEDROCK"
    needs_key = False
    packages: ClassVar = ("boto3", "botocore")

    def __init__(self, key: str | None, base_url: str | None = None) -> None:
        region = _first("AWS_REGION", "AWS_DEFAULT_REGION") or _BEDROCK_REGION
        self._region = region
        super().__init__(key, base_url or f"https://bedrock-runtime.{region}.amazonaws.com")

    def _new_client(self) -> AsyncAnthropicBedrock:
        from anthropic.lib.bedrock import AsyncAnthropicBedrock

        return AsyncAnthropicBedrock(
            api_key=self._key or None,
            aws_region=self._region,
            base_url=self._base_url,
            max_retries=0,
            http_client=transport(),
        )

    async def _close_client(self, client: AsyncAnthropicBedrock) -> None:
        await client.close()

    def _fault_of(self, error: Exception) -> ModelFault | None:
        return _credentials_fault(self, error) or super()._fault_of(error)


class VertexProvider(MessagesProvider["AsyncAnthropicVertex"]):
    """Answers requests with Claude models on Google Vertex AI.

    With a key it is an access token; without one the environment's Google credentials are used.
    """

    name = "anthropic_vertex"
    extra = "vertex"
    key_variable = "CLOUDSDK_AUTH_ACCESS_TOKEN"
    needs_key = False
    packages: ClassVar = ("google", "requests")

    def __init__(self, key: str | None, base_url: str | None = None) -> None:
        self._region = _first("CLOUD_ML_REGION") or _VERTEX_REGION
        self._project = _first("ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT")
        super().__init__(key, base_url or _vertex_url(self._region))

    def _check(self) -> None:
        super()._check()
        if self._key and not self._project:
            raise ModelFault(
                "rejected",
                "no project: set the environment variable ANTHROPIC_VERTEX_PROJECT_ID or "
                "GOOGLE_CLOUD_PROJECT",
            )

    def _new_client(self) -> AsyncAnthropicVertex:
        from anthropic import not_given
        from anthropic.lib.vertex import AsyncAnthropicVertex

        return AsyncAnthropicVertex(
            access_token=self._key or None,
            region=self._region,
            project_id=self._project or not_given,
            base_url=self._base_url,
            max_retries=0,
            http_client=transport(),
        )

    async def _close_client(self, client: AsyncAnthropicVertex) -> None:
        await client.close()

    def _fault_of(self, error: Exception) -> ModelFault | None:
        return _credentials_fault(self, error) or super()._fault_of(error)


class FoundryProvider(MessagesProvider["AsyncAnthropicFoundry"]):
    """Answers requests with Claude models in Microsoft Foundry."""

    name = "anthropic_foundry"
    extra = "anthropic"
    key_variable = "ANTHROPIC_FOUNDRY_API_KEY"

    def __init__(self, key: str | None, base_url: str | None = None) -> None:
        resource = _first("ANTHROPIC_FOUNDRY_RESOURCE")
        ours = f"https://{resource}.services.ai.azure.com/anthropic/" if resource else None
        super().__init__(key, base_url or ours or "nowhere")

    def _check(self) -> None:
        if self._base_url == "nowhere":
            raise ModelFault(
                "rejected",
                "no resource: give the provider a `base_url`, or set the environment variable "
                "ANTHROPIC_FOUNDRY_RESOURCE",
            )
        super()._check()

    def _new_client(self) -> AsyncAnthropicFoundry:
        from anthropic import AsyncAnthropicFoundry

        return AsyncAnthropicFoundry(
            api_key=self._key,
            base_url=self._base_url,
            max_retries=0,
            http_client=transport(),
        )

    async def _close_client(self, client: AsyncAnthropicFoundry) -> None:
        await client.close()


def _first(*variables: str) -> str | None:
    """The first of some environment variables that says something."""
    return next((found for name in variables if (found := os.environ.get(name, "").strip())), None)


def _vertex_url(region: str) -> str:
    """The platform's address of a region, as the SDK has it."""
    match region:
        case "global":
            return "https://aiplatform.googleapis.com/v1"
        case "us" | "eu":
            return f"https://aiplatform.{region}.rep.googleapis.com/v1"
        case _:
            return f"https://{region}-aiplatform.googleapis.com/v1"


def _credentials_fault(
    provider: BedrockProvider | VertexProvider, error: Exception
) -> ModelFault | None:
    """The fault of credentials that were not found, or whose package isn't installed; None for
    anything else. Which exceptions these are is the platforms' packages' own affair.
    """
    if provider._key:
        return None
    if isinstance(error, ImportError) or type(error).__name__ == "MissingDependencyError":
        return ModelFault(
            "rejected",
            f"there is no key, and the package that finds the environment's credentials isn't "
            f"installed: set {provider.key_variable}, or pip install "
            f"'pipelang-dsl[{provider.extra}]'",
        )
    module = type(error).__module__.partition(".")[0]
    if type(error) in (RuntimeError, ValueError) or module in provider.packages:
        said = clean(str(error), lambda text: text)
        return ModelFault("rejected", f"the environment's credentials: {said}")
    return None
