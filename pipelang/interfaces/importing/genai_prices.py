"""Prices of models from the data of the package `genai-prices`, as the snapshot that travels here.

A price that is announced to change within the snapshot's time counts as the dearer of the two, so
that no bound is passed by a date. Where long prompts cost more, the price is that of short ones,
with the tokens up to which it holds and what they cost beyond.

A model has more than one name at some makers. The package has rules for them; what these spell out
travels along (`also`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pipelang.semantics.price_snapshot import MAKERS, OLD_AFTER, VERSION

NAMES = {"in": "input_mtok", "out": "output_mtok"}
NAMES |= {"cache_write": "cache_write_mtok", "cache_read": "cache_read_mtok"}


def installed_snapshot(as_of: date) -> dict[str, Any]:
    """The snapshot of the package that is installed. Raises ImportError if none is."""
    from importlib.metadata import version

    from genai_prices.data import providers

    return snapshot_of(providers, version("genai-prices"), as_of)


def snapshot_of(providers: Iterable[Any], version: str, as_of: date) -> dict[str, Any]:
    """The snapshot of a package's data, read on a day."""
    makers: dict[str, dict[str, Any]] = {}
    for provider in providers:
        found = {model.id: _model(model, as_of) for model in provider.models}
        priced = {name: model for name, model in sorted(found.items()) if model is not None}
        for name, others in _other_names(provider).items():
            if name in priced:
                priced[name]["also"] = others
        if priced:
            makers[provider.id] = priced
    return {
        "snapshot": VERSION,
        "as_of": as_of.isoformat(),
        "source": f"genai-prices {version}",
        "url": "https://github.com/pydantic/genai-prices",
        "license": "MIT, copyright Pydantic Services Inc.",
        "makers": dict(sorted(makers.items())),
    }


def dated(snapshot: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """A snapshot with the day of the first of these files that says the same: a list is no younger
    for being written once more.
    """
    for path in known:
        try:
            with open(path, encoding="utf-8") as file:
                before = json.load(file)
        except (OSError, ValueError, RecursionError):
            continue
        day = before.get("as_of") if isinstance(before, dict) else None
        if isinstance(day, str) and {**snapshot, "as_of": day} == before:
            return {**snapshot, "as_of": day}
    return snapshot


def as_text(snapshot: dict[str, Any]) -> str:
    """A snapshot as a file: a line a model, so that a change is a line of a diff."""
    makers = snapshot["makers"]
    head = {key: value for key, value in snapshot.items() if key != "makers"}
    lines = [f"{json.dumps(head)[:-1]}, {MAKERS}"]
    for index, (maker, models) in enumerate(makers.items()):
        lines.append(f"{json.dumps(maker)}: {{")
        rows = [f"{json.dumps(name)}: {json.dumps(model)}" for name, model in models.items()]
        lines.append(",\n".join(rows))
        lines.append("}," if index + 1 < len(makers) else "}")
    return "\n".join([*lines, "}}"]) + "\n"


def _other_names(provider: Any) -> dict[str, list[str]]:
    """Names by which the package finds a model too, by its own: those that its rules spell out."""
    known = {model.id for model in provider.models}
    found: dict[str, list[str]] = {}
    for model in provider.models:
        for name in sorted(set(_spelled_out(model.match)) - known):
            meant = provider.find_model(name)
            if meant is not None and meant.id == model.id:
                found.setdefault(model.id, []).append(name)
    return found


def _spelled_out(rule: Any) -> Iterator[str]:
    """The texts of a rule that a name may consist of, or contain."""
    for one in getattr(rule, "or_", (rule,)):
        if one is not rule:
            yield from _spelled_out(one)
            continue
        for kind in ("equals", "starts_with", "ends_with", "contains"):
            if (name := getattr(one, kind, None)) is not None:
                yield name.strip("/@")


def _model(model: Any, as_of: date) -> dict[str, Any] | None:
    """A model's prices in dollars per million tokens, as texts; None if it has none for texts."""
    prices: dict[str, Decimal] = {}
    beyond: dict[str, Decimal] = {}
    starts: set[int] = set()
    for active in _active(model.prices, as_of):
        for kind, field in NAMES.items():
            price = getattr(active, field, None)
            if price is None:
                continue
            tiers = getattr(price, "tiers", ())
            base = Decimal(getattr(price, "base", price))
            dearest = max([base, *(tier.price for tier in tiers)])
            starts |= {tier.start for tier in tiers}
            prices[kind] = max(base, prices.get(kind, base))
            beyond[kind] = max(dearest, beyond.get(kind, dearest))
    if not {"in", "out"} <= set(prices):
        return None
    found: dict[str, Any] = {kind: format(price, "f") for kind, price in prices.items()}
    if starts:
        found["up_to"] = min(starts)
        found["beyond"] = {kind: format(price, "f") for kind, price in beyond.items()}
    if model.context_window:
        found["context"] = model.context_window
    if model.deprecated:
        found["retired"] = True
    return found


def _active(prices: Any, as_of: date) -> list[Any]:
    """The prices that hold at some time while the snapshot isn't old."""
    if not isinstance(prices, list):
        return [prices]
    last = as_of + timedelta(days=OLD_AFTER)
    found: list[Any] = []
    for one in prices:
        start = getattr(one.constraint, "start_date", None)
        if start is None and one.constraint is not None:
            found.append(one.prices)  # at some hours of each day
        elif start is None or start <= as_of:
            found = [one.prices]  # later ones take the place of earlier ones
        elif start <= last:
            found.append(one.prices)
    return found
