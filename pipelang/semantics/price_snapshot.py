"""The snapshot of models' prices that travels with pipelang: what a tier without `price` costs.

The table is a part of the package, like those of the grammar, and is read once, where a tier wants
it. It is never looked up anywhere else: a check says the same wherever it is made.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pipelang.records import dataclass
from pipelang.resources import resource_folder

VERSION = 1
MAKERS = '"makers": {'
"""The end of the first line of a snapshot: makers and their models begin there."""

OLD_AFTER = 90
"""Days after which a price is taken as old."""

_MAKERS = {
    "anthropic": "anthropic",
    "anthropic_bedrock": "aws",
    "anthropic_vertex": "google",
    "openai": "openai",
    "google": "google",
}
"""The name in the snapshot of the maker behind each kind of provider."""

_PREFIXES = {"xai": "x-ai", "bedrock": "aws", "openai-chat": "openai", "openai-responses": "openai"}
_PREFIXES |= {"google-vertex": "google", "google-gla": "google", "grok": "x-ai"}
"""The names in the snapshot of makers as `kind other` names them, where they differ."""

_VERSION = re.compile(r"(:\d+|[-@]v\d+|-\d{3}|[-@](\d{8}|\d{4}-\d{2}-\d{2}|latest|default))$")
"""The last part of a name that says which version of a model it is: `:0`, `-v1`, `-001`, a day."""

_REGION = re.compile(r"^(?!global\.)[a-z]{2,5}(-[a-z]+)?\.(?=[a-z0-9]+\.)")
"""The start of a name at Bedrock of a model that one region serves: all cost the same there."""


@dataclass(frozen=True, slots=True)
class SnapshotPrice:
    """Prices of a model in dollars per million tokens by kind, and the context that they hold for.

    `beyond` are the prices of longer prompts where these cost more.
    """

    prices: Mapping[str, Decimal]
    context: int | None
    beyond: Mapping[str, Decimal]
    retired: bool


def snapshot_path() -> str:
    """The path of the snapshot."""
    return os.path.join(resource_folder("stdlib"), "prices.json")


def as_of() -> str:
    """The day of the snapshot."""
    return str(_head()["as_of"])


def source() -> str:
    """The package and version that the snapshot was made from."""
    return str(_head()["source"])


def models() -> dict[str, int]:
    """The number of models of each maker."""
    return {maker: len(models) for maker, models in _snapshot()["makers"].items()}


def priced(kind: str, model: str) -> SnapshotPrice | None:
    """The price of a model at a kind of provider; None for one that the snapshot doesn't have."""
    maker, name = _MAKERS.get(kind), model
    if kind == "other":
        prefix, _, name = model.partition(":")
        maker = _PREFIXES.get(prefix, prefix)
    models = _by_name(maker)
    found = next((models[one] for one in _spellings(maker, name) if one in models), None)
    if found is None:
        return None
    kinds = [one for one in ("in", "out", "cache_write", "cache_read") if one in found]
    more = found.get("beyond", {})
    return SnapshotPrice(
        {one: Decimal(found[one]) for one in kinds},
        found.get("up_to") or found.get("context"),
        {one: Decimal(price) for one, price in more.items()},
        bool(found.get("retired")),
    )


def _spellings(maker: str | None, name: str) -> Iterator[str]:
    """A model's name, and the same with less and less of what does not change its price."""
    starts = [name]
    if maker == "aws":
        plain = _REGION.sub("", name.rpartition("/")[2])
        starts += [plain] if plain.startswith("global.") else [plain, plain.partition(".")[2]]
    for start in starts:
        while start:
            yield start
            shorter = _VERSION.sub("", start)
            start = "" if shorter == start else shorter


@cache
def _by_name(maker: str | None) -> dict[str, Any]:
    """The models of a maker by all their names; `also` are those beside the first."""
    models = _models(maker)
    return {other: model for model in models.values() for other in model.get("also", ())} | models


def _models(maker: str | None) -> dict[str, Any]:
    """The models of a maker. Most of the text is of others, so that part alone is read (see
    `importing.genai_prices.as_text`).
    """
    head = f"\n{json.dumps(maker)}: {{\n"
    at = _text().find(head)
    if at < 0:
        return {}
    models: dict[str, Any] = json.JSONDecoder().raw_decode(_text(), at + len(head) - 2)[0]
    return models


@cache
def _snapshot() -> Any:
    return json.loads(_text())


@cache
def _head() -> dict[str, Any]:
    """All of the snapshot but the models, which is its first line."""
    line = _text().partition("\n")[0]
    head: dict[str, Any] = json.loads(line.removesuffix(f", {MAKERS}") + "}")
    return head


@cache
def _text() -> str:
    with open(snapshot_path(), encoding="utf-8") as file:
        return file.read()
