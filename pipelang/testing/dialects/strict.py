"""The strict mode of OpenAI's schemas, as its API complains."""

from __future__ import annotations

from typing import Any

_REFUSED = frozenset({"$ref", "allOf", "default", "title", "oneOf", "patternProperties"})


def strict_problem(schema: Any) -> str | None:
    """The complaint of OpenAI's strict mode about a schema; None where it has none."""
    if isinstance(schema, list):
        return next(filter(None, map(strict_problem, schema)), None)
    if not isinstance(schema, dict):
        return None
    for name in schema:
        if name in _REFUSED:
            return f"'{name}' is not permitted"
    if "(?" in str(schema.get("pattern", "")):
        return "'pattern' with lookaround is not permitted"
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return "'additionalProperties' is required to be supplied and to be false"
        if set(schema.get("required", ())) != set(schema.get("properties", {})):
            return "'required' is required to be an array including every key in properties"
        return next(filter(None, map(strict_problem, schema["properties"].values())), None)
    return next(filter(None, map(strict_problem, schema.values())), None)
