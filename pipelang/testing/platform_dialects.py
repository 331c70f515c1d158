"""Wire formats of Claude on Bedrock, Vertex and Foundry: the Messages API at other addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import unquote

from pipelang.testing.dialects import Body, MessagesDialect, bearer


class _InPath(MessagesDialect):
    """The Messages API where the model stands in the path and the version in the body."""

    _known: ClassVar = MessagesDialect._known - {"model"} | {"anthropic_version"}

    def key(self, headers: Mapping[str, str]) -> str | None:
        return bearer(headers)

    def problem(self, body: Body) -> str | None:
        if not isinstance(body.get("anthropic_version"), str):
            return "anthropic_version: Field required"
        told = {name: value for name, value in body.items() if name != "model"}
        return super().problem(told)


class BedrockDialect(_InPath):
    """Amazon Bedrock's `InvokeModel`, with an API key."""

    path = "/model/{model}/invoke"

    def sent(self, path: str, body: Body) -> Body:
        if "model" in body:
            return {**body, "anthropic_version": None}  # it stands in the path, and only there
        return {**body, "model": unquote(path.split("/")[2])}

    def error(self, code: int, message: str) -> Body:
        return {"message": message}


class VertexDialect(_InPath):
    """Vertex AI's `rawPredict`, with an access token."""

    path = (
        "/v1/projects/{project}/locations/{region}/publishers/anthropic/models/{model}:rawPredict"
    )
    root = "/v1"

    def sent(self, path: str, body: Body) -> Body:
        if "model" in body:
            return {**body, "anthropic_version": None}
        return {**body, "model": unquote(path.rpartition("/")[2]).removesuffix(":rawPredict")}

    def error(self, code: int, message: str) -> Body:
        status = {429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}.get(code, "INVALID_ARGUMENT")
        return {"error": {"code": code, "message": message, "status": status}}


class FoundryDialect(MessagesDialect):
    """Microsoft Foundry's own path of the Messages API, with an API key."""

    path = "/anthropic/v1/messages"
    root = "/anthropic/"

    def key(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-api-key")
