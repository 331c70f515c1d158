"""The OpenAPI document: valid, and what schemathesis makes of it finds nothing."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from .serving import Caller, ThreadServer


def test_every_answer_is_as_documented(anyone: Caller) -> None:
    """Answers of every operation that gives JSON, against the schema of their status."""
    document = anyone.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    run = anyone.start("refund", {"amount": 60})["id"]
    case = anyone.case_of(run)["id"]
    asked: list[tuple[str, str, str, Any]] = [
        ("get", "/v1/pipelines", "/v1/pipelines", None),
        ("get", "/v1/pipelines/{name}", "/v1/pipelines/refund", None),
        ("get", "/v1/pipelines/{name}/analysis", "/v1/pipelines/refund/analysis", None),
        ("get", "/v1/pipelines/{name}/schema", "/v1/pipelines/refund/schema", None),
        (
            "post",
            "/v1/pipelines/{name}/runs",
            "/v1/pipelines/say/runs?wait=30",
            {"inputs": {"what": "x"}},
        ),
        ("post", "/v1/pipelines/{name}/runs", "/v1/pipelines/say/runs", {"inputs": {}}),
        ("get", "/v1/runs", "/v1/runs", None),
        ("get", "/v1/runs/{id}", f"/v1/runs/{run}", None),
        ("get", "/v1/runs/{id}", "/v1/runs/none", None),
        ("get", "/v1/cases", "/v1/cases?closed=true", None),
        ("get", "/v1/cases/{id}", f"/v1/cases/{case}", None),
        ("post", "/v1/cases/{id}/decision", f"/v1/cases/{case}/decision", {"verdict": "no"}),
        ("post", "/v1/cases/{id}/decision", f"/v1/cases/{case}/decision", {"verdict": "no"}),
        ("get", "/v1/switches", "/v1/switches", None),
        ("get", "/healthz", "/healthz", None),
        ("get", "/readyz", "/readyz", None),
    ]
    for method, path, place, body in asked:
        answer = anyone.ask(method.upper(), place, body)
        described = document["paths"][path][method]["responses"][str(answer.status)]
        kind = answer.headers["content-type"]
        schema = described["content"][kind]["schema"]
        whole = {**schema, "components": document["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer.json)


def _is_known(failure: BaseException) -> bool:
    """Whether it is one of two things that the document cannot say. JSON Schema counts characters
    and we count bytes: what the document allows is accepted, and longer texts may be. And a path
    for any name leaves out the names that have paths of their own, where they are accepted.
    """
    from schemathesis.core.failures import AcceptedNegativeData

    if not isinstance(failure, AcceptedNegativeData):
        return False
    known = ("`anyOf`", "/anyOf/", "`not` at /properties/name")
    return any(words in failure.message for words in known)


def test_schemathesis_finds_nothing(open_server: ThreadServer, anyone: Caller) -> None:
    # Here, as it takes most of a second: each process collects this file, and one runs it.
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis import GenerationMode
    from schemathesis.core.failures import FailureGroup

    run = anyone.start("refund", {"amount": 60})["id"]
    case = anyone.case_of(run)["id"]
    document = anyone.get("/openapi.json").json
    # Streams end with their runs, and waits with their time: what is generated must not wait.
    del document["paths"]["/v1/runs/{id}/events"]
    # Nobody makes up bytes that are a document.
    del document["paths"]["/v1/pipelines/weight/runs"]
    known = {"/v1/runs/": run, "/v1/cases/": case, "/v1/pipelines/": "refund"}
    for path, item in document["paths"].items():
        for operation in item.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [one for one in parameters if one["name"] != "wait"]
            for one in operation["parameters"]:
                if one["in"] == "path" and "not" not in one["schema"]:
                    there = next(id for start, id in known.items() if path.startswith(start))
                    one["schema"]["enum"] = [there, "none"]
    schema = schemathesis.openapi.from_dict(document)
    base = f"http://127.0.0.1:{open_server.port}"
    seen = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode)

            @seed(23)
            @settings(
                max_examples=15,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=strategy)
            def try_one(case: Any) -> None:
                nonlocal seen
                try:
                    case.call_and_validate(base_url=base)
                except FailureGroup as found:
                    if not all(map(_is_known, found.exceptions)):
                        raise
                seen += 1

            try:
                try_one()
            except Unsatisfiable:  # nothing can be made wrong in it
                assert mode is GenerationMode.NEGATIVE
    assert seen > 100
    left = anyone.get("/v1/switches").json["items"]
    for _ in left:
        anyone.post("/v1/switches", {"action": "restore", "all": True})
    assert anyone.get("/healthz").status == 200
    assert json.loads(json.dumps(document))
