"""Input schemas for the OpenAPI document: as the service takes inputs, part by part.

They differ from those of `/schema`, which are for people and hosts: limits in bytes are said for
characters of any script, patterns are patterns, and a picture or document comes with its bytes.
"""

from __future__ import annotations

import re
from typing import Any

_ASCII = r"^[ !#-\[\]-~]*$"
_BYTES_A_CHARACTER = 6
"""The most bytes that JSON takes for a character: an escaped control character."""
_FROM_ELSEWHERE = ({"path"}, {"url"})


def embedded(schema: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema for the document, and the definitions that it needs, each named after `name`."""
    whole = dict(schema)
    definitions = whole.pop("$defs", {})
    for key in ("$schema", "$comment"):
        whole.pop(key, None)
    prefix = f"#/components/schemas/{name}."
    return (
        _rewritten(whole, prefix),
        {f"{name}.{key}": _rewritten(one, prefix) for key, one in definitions.items()},
    )


def _rewritten(node: Any, prefix: str) -> Any:
    if isinstance(node, list):
        return [_rewritten(one, prefix) for one in node if not _is_from_elsewhere(one)]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$ref":
            made[key] = prefix + str(value).removeprefix("#/$defs/")
        elif key in ("default", "enum", "const"):
            made[key] = value
        else:
            made[key] = _rewritten(value, prefix)
    return _said_for_text(made) if made.get("type") == "string" else made


def _is_from_elsewhere(node: Any) -> bool:
    """Whether this is a picture or document that is named and not given: no server takes that."""
    return isinstance(node, dict) and set(node.get("properties", ())) in _FROM_ELSEWHERE


def _said_for_text(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a text: what it allows is accepted. Of a text with other signs than those that
    are one byte in JSON more may be.
    """
    bytes = schema.get("maxLength")
    patterns = schema.pop("x-matches", None)
    if patterns is not None and all(map(_is_plain, patterns)):
        schema["pattern"] = "|".join(f"(?:{one})" for one in patterns)
    if bytes is not None and patterns is None:
        del schema["maxLength"]
        schema["anyOf"] = [
            {"maxLength": bytes // _BYTES_A_CHARACTER},
            {"maxLength": bytes, "pattern": _ASCII},
        ]
    return schema


def _is_plain(pattern: str) -> bool:
    """Whether a pattern of RE2 means the same where JSON Schema is read."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return re.search(r"\\[pPAzQEC]|\(\?|\[\[:", pattern) is None
