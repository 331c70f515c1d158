"""The OpenAPI 3.1 document of the API, from its operations and their models."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipelang.interfaces.service.api.models import ProblemModel
from pipelang.interfaces.service.api.operations import ApiOperation, ApiParameter
from pipelang.interfaces.service.problems import PROBLEM_JSON
from pipelang.version import __version__

_REFERENCE = "#/components/schemas/{model}"


def openapi(operations: Iterable[ApiOperation]) -> dict[str, Any]:
    """The document."""
    listed = tuple(operations)
    taken = {one.body for one in listed if one.body is not None}
    given = {
        model for one in listed for model in one.answers.values() if not isinstance(model, str)
    } | {ProblemModel}
    modes = [(model, "validation") for model in taken] + [
        (model, "serialization") for model in given
    ]
    modes.sort(key=lambda pair: pair[0].__name__)
    _, schemas = models_json_schema(modes, ref_template=_REFERENCE)  # type: ignore[arg-type]
    paths: dict[str, Any] = {}
    for one in listed:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pipelang",
            "version": __version__,
            "description": "Pipelines of AI agents behind one door: runs, people, switches.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`pipelang token new` makes one. On a loopback address without "
                    "tokens none is asked for.",
                }
            },
        },
    }


def _operation(one: ApiOperation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.about,
        "security": [] if one.public else [{"token": []}, {}],
        "responses": {str(status): _answer(status, model) for status, model in one.answers.items()},
    }
    for status in one.problems:
        made["responses"].setdefault(str(status), _problem(status))
    if one.parameters:
        made["parameters"] = [_parameter(parameter) for parameter in one.parameters]
    if one.body is not None:
        schema = {"$ref": _REFERENCE.format(model=one.body.__name__)}
        made["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return made


def _parameter(one: ApiParameter) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": one.name,
        "in": one.where,
        "description": one.about,
        "schema": one.schema,
    }
    return made | ({"required": True} if one.where == "path" else {})


def _answer(status: int, model: type[BaseModel] | str) -> dict[str, Any]:
    made: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(model, str):
        return made | {"content": {model: {"schema": {"type": "string"}}}}
    schema = {"$ref": _REFERENCE.format(model=model.__name__)}
    made["content"] = {"application/json": {"schema": schema}}
    if status == 202:
        made["headers"] = {"Location": {"schema": {"type": "string"}}}
    return made


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model="ProblemModel")}
    made: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_JSON: {"schema": schema}},
    }
    if status in (429, 503):
        made["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return made
