"""The tools of the resilient agent: a handbook in SQLite's full-text search, sales, and prices.

What is changed goes to the folder that `PIPELANG_EXAMPLE_STATE` names, else below the system's
temporary folder, never beside the code.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import tempfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@cache
def _shop() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((DATA / "shop.json").read_text(encoding="utf-8"))
    return read


def search_docs(query: str) -> list[str]:
    """The names and first words of the three sections that have most of these words."""
    words = re.findall(r"\w+", query)
    if not words:
        return []
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE docs USING fts5(name, body)")
    database.executemany("INSERT INTO docs VALUES (?, ?)", _shop()["handbook"].items())
    found = database.execute(
        "SELECT name, body FROM docs WHERE docs MATCH ? ORDER BY rank LIMIT 3",
        (" OR ".join(f'"{word}"' for word in words),),
    ).fetchall()
    database.close()
    return [f"{name}: {body[:60]}" for name, body in found]


def read_doc(name: str) -> str:
    """A section, whole. Raises `LookupError` for one that there is not."""
    body: str | None = _shop()["handbook"].get(name.strip().casefold())
    if body is None:
        raise LookupError(f"no section `{name}`")
    return body


def sales(region: str, month: int) -> Decimal:
    """What a region sold in a month."""
    return Decimal(_shop()["sales"][region][month - 1])


def _state() -> Path:
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "pipelang-resilient-agent"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "prices.jsonl"


def _changes() -> list[dict[str, Any]]:
    file = _state()
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def price_of(sku: str) -> Decimal:
    """What a book costs now. Raises `LookupError` for a book that we do not have."""
    known = {**_shop()["prices"], **{row["sku"]: row["price"] for row in _changes()}}
    if sku not in known:
        raise LookupError(f"no book `{sku}`")
    return Decimal(known[sku])


def set_price(sku: str, price: Decimal, idempotency_key: str) -> str:
    """Change a price: one line in a file. The same key changes once."""
    price_of(sku)
    if not any(row["key"] == idempotency_key for row in _changes()):
        row = {"key": idempotency_key, "sku": sku, "price": str(price)}
        with _state().open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
    return f"{sku} costs ${price}"
