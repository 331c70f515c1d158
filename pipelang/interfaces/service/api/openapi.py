"""The OpenAPI 3.1 document of the API, from its operations and their models."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipelang.interfaces.service.api.input_schemas import embedded
from pipelang.interfaces.service.api.models import ProblemModel
from pipelang.interfaces.service.api.operations import ApiOperation, ApiParameter
from pipelang.interfaces.service.problems import PROBLEM_JSON
from pipelang.version import __version__

if TYPE_CHECKING:
    from pipelang.interfaces.service.deployment import Deployed

START = "/v1/pipelines/{name}/runs"
_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The number of a recorded event."},
        "event": {"type": "string", "description": "`live`, `end`, `stopping`, or none."},
        "data": {"type": "string", "description": "JSON: `number`, `kind`, `name`, `at`, `data`."},
    },
}
_REFERENCE = "#/components/schemas/{model}"


def openapi(
    operations: Iterable[ApiOperation], pipelines: Mapping[str, Deployed]
) -> dict[str, Any]:
    """The document. Each pipeline that is served has a path of its own to start it, with the schema
    of its inputs.
    """
    listed = tuple(operations)
    taken = {model for one in listed for model in one.bodies}
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
    definitions = schemas.get("$defs", {})
    start = paths[START]["post"]
    # The general form is for whatever may be served; what is served stands by itself.
    name = start["parameters"][0]
    name["schema"] = {**name["schema"], "not": {"enum": list(pipelines)}}
    own: dict[str, Any] = {}
    for deployed in pipelines.values():
        path, more = _start_of(deployed, start, definitions["StartBody"])
        own[path] = {"post": more.pop("operation")}
        definitions |= more
    paths = {**own, **paths}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pipelang",
            "version": __version__,
            "description": "Pipelines of AI agents behind one door: runs, people, switches.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions,
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


def _start_of(
    deployed: Deployed, general: dict[str, Any], body: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The path that starts a pipeline, with its operation and the schemas that it needs."""
    name = deployed.name
    inputs, more = embedded(deployed.input_schema, name)
    own = copy.deepcopy(body)
    own["title"] = f"{name}.start"
    own["properties"]["inputs"] = inputs
    if inputs["required"]:
        own["required"] = ["inputs"]
    about = f"{general['summary']} {deployed.doc or ''}".strip()
    schema = {"$ref": _REFERENCE.format(model=f"{name}.start")}
    operation = {
        **general,
        "operationId": f"{general['operationId']}_{name}",
        "summary": about,
        "parameters": general["parameters"][1:],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        },
    }
    path = START.replace("{name}", name)
    return path, {"operation": operation, f"{name}.start": own, **more}


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
    if one.bodies:
        refs = [{"$ref": _REFERENCE.format(model=model.__name__)} for model in one.bodies]
        schema = refs[0] if len(refs) == 1 else {"oneOf": refs}
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
        given = _EVENT if model == "text/event-stream" else {"type": "string"}
        return made | {"content": {model: {"schema": given}}}
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
