"""The tools of the recommendations example: a shop's profiles, its search and its stock.

The search is hybrid: SQLite's full text (FTS5) and nearest vectors (sqlite-vec), both within stock,
price and style, merged by rank. The index lives in memory and is built from `data/` at import.
"""

from __future__ import annotations

import json
from array import array
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from vectors import SIZE, unit, words

DATA = Path(__file__).parent / "data"
STYLES = ("classic", "street", "sporty", "boho")
BANDS = {"low": (1, 9000), "mid": (3000, 16000), "high": (7000, 500_000)}
"""From and to, in cents; they overlap."""


@cache
def _read(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@cache
def _products() -> dict[str, dict[str, Any]]:
    lines = (DATA / "products.jsonl").read_text(encoding="utf-8").split("\n")
    return {row["id"]: row for row in map(json.loads, filter(None, lines))}


def normal(query: str) -> str:
    """The words of a question that count, in order: rankings are kept under them."""
    return " ".join(sorted(set(words(query)))) or query.strip().lower()


def load_profile(user: str) -> dict[str, Any]:
    """What we know about somebody. Raises `LookupError` for a stranger."""
    row = _read("profiles").get(user)
    if row is None:
        raise LookupError("no such user")
    return dict(row)


def vector(text: str) -> bytes:
    """Where a text lies: the sum of its known words, as sqlite-vec takes it."""
    known = [row for word in words(text) if (row := _read("vectors").get(word))]
    total = [float(sum(parts)) for parts in zip(*known, strict=True)] if known else [0.0] * SIZE
    return array("f", unit(total)).tobytes()


@cache
def _index() -> Any:
    try:
        import apsw  # brings an SQLite that can load extensions on every system
        import sqlite_vec
    except ImportError:
        raise RuntimeError("the search needs `pip install 'pipelang-dsl[examples]'`") from None
    made = apsw.Connection(":memory:")
    made.enable_load_extension(True)
    made.load_extension(sqlite_vec.loadable_path())
    styles = ", ".join(f"{style} integer" for style in STYLES)
    made.execute(
        f"create virtual table near using vec0(place float[{SIZE}], {styles}, cents integer)"
    )
    made.execute("create virtual table told using fts5(body, tokenize='porter unicode61')")
    for number, row in enumerate(_products().values(), 1):
        if row["left"] < 1 or row["cents"] < 1:
            continue  # not in stock, or a price that somebody forgot
        text = f"{row['name']} {row['about']} {row['also']}"
        flags = [int(style in row["styles"]) for style in STYLES]
        made.execute(
            "insert into near(rowid, place, classic, street, sporty, boho, cents)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (number, vector(text), *flags, row["cents"]),
        )
        made.execute("insert into told(rowid, body) values (?, ?)", (number, " ".join(words(text))))
    return made


def _ranked(text: str, segment: dict[str, str], limit: int = 50) -> list[str]:
    """The ids of what is found, by the sum of both ranks' reciprocals."""
    text = normal(text)  # the order of words changes nothing
    low, high = BANDS[segment["band"]]
    style = next(one for one in STYLES if one == segment["style"])
    near = _index().execute(
        f"select rowid from near where place match ? and k = ? and {style} = 1"
        " and cents between ? and ?",
        (vector(text), limit, low, high),
    )
    found = [number for (number,) in near]
    asked = " OR ".join(f'"{word}"' for word in words(text))
    told = (
        _index().execute(
            "select told.rowid from told join near on near.rowid = told.rowid"
            f" where told match ? and near.{style} = 1 and near.cents between ? and ?"
            " order by bm25(told), told.rowid limit ?",
            (asked, low, high, limit),
        )
        if asked
        else []
    )
    scores: dict[int, float] = {}
    for ranks in (found, [number for (number,) in told]):
        for rank, number in enumerate(ranks):
            scores[number] = scores.get(number, 0.0) + 1 / (60 + rank)
    best = sorted(scores, key=lambda number: (-scores[number], number))[:limit]
    ids = list(_products())
    return [ids[number - 1] for number in best]


def search(words: list[str], segment: Any) -> list[dict[str, Any]]:
    """The 50 pieces that come nearest to what was said, within stock, price and style."""
    given = segment if isinstance(segment, dict) else {"style": segment.style, "band": segment.band}
    named = {name: getattr(value, "value", value) for name, value in given.items()}
    rows = (_products()[one] for one in _ranked(" ".join(words), named))
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "price": Decimal(row["cents"]) / 100,
            "about": row["about"],
        }
        for row in rows
    ]


def in_stock(ids: list[str]) -> list[str]:
    """Those that can be bought at this moment."""
    gone = set(_read("sold_since"))
    return [one for one in ids if one not in gone and one in _products()]


with suppress(RuntimeError):  # the first search says it
    _index()  # now: the first search has a second in all
