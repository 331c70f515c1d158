"""The tools of the support example: plain functions over the data that ships beside this file.

The knowledge base is 38 Markdown articles, the customers are one JSON file. Searching is BM25
(Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) over words:
enough for a few dozen articles, exact, and free of dependencies. It knows English only; a question
in another language finds what the product words in it happen to match, often nothing at all.

What the tools write (the outbox, the negative examples) never lands beside the code: it goes to
the folder that the environment variable `PIPELANG_SUPPORT_STATE` names, else below the system's
temporary folder.
"""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
import threading
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

# BM25's usual constants: how fast repeated words saturate, how much long articles are held back.
SATURATION = 1.2
LENGTH_WEIGHT = 0.75
TITLE_WEIGHT = 3  # a word of the title counts as if it stood in the text three times more

_STOP_WORDS = """
a about again all also am an and any are as at be been but by can can't could did do does don't for
from get got had has have hello help hi how i i'm i've if in into is isn't it it's its just like me
my need no not now of on one only or our out please so some still than thank thanks that the their
them then there they this to up us use very want was we we're were what when where which who why
will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Article:
    """One article of the knowledge base, with its words counted."""

    name: str
    text: str
    words: Counter[str]
    length: int


def words_of(text: str) -> list[str]:
    """Lower-case words without stop words, English plurals and `-ing`/`-ed` taken off."""
    found = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.casefold())
    return [_stem(word) for word in found if word not in STOP_WORDS]


def _stem(word: str) -> str:
    for ending, rest in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            stem = word[: len(word) - len(ending)] + rest
            doubled = ending in ("ing", "ed") and len(stem) > 3 and stem[-1] == stem[-2]
            return stem[:-1] if doubled and stem[-1] not in "lsz" else stem
    return word


@cache
def articles() -> tuple[Article, ...]:
    """The whole knowledge base, read once."""
    read = []
    for path in sorted((DATA / "kb").glob("*.md")):
        text = path.read_text(encoding="utf-8").strip()
        title = text.partition("\n")[0]
        words = words_of(text) + words_of(title) * TITLE_WEIGHT
        read.append(Article(path.stem, text, Counter(words), len(words)))
    return tuple(read)


@cache
def _document_frequency() -> Counter[str]:
    return Counter(word for article in articles() for word in article.words)


@cache
def _mean_length() -> float:
    return sum(article.length for article in articles()) / len(articles())


def _score(article: Article, query: Counter[str]) -> float:
    total = len(articles())
    norm = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * article.length / _mean_length()
    score = 0.0
    for word, wanted in query.items():
        seen = article.words[word]
        if seen:
            holders = _document_frequency()[word]
            rarity = math.log(1 + (total - holders + 0.5) / (holders + 0.5))
            # Said twice in a long, upset ticket is not twice as important: hence the logarithm.
            weight = 1 + math.log(wanted)
            score += weight * rarity * seen * (SATURATION + 1) / (seen + SATURATION * norm)
    return score


def rank(query: str) -> list[tuple[str, float]]:
    """Names of all articles that share a word with `query`, the best first, with their scores."""
    wanted = Counter(words_of(query))
    scored = [(article.name, _score(article, wanted)) for article in articles()]
    return sorted((hit for hit in scored if hit[1] > 0), key=lambda hit: (-hit[1], hit[0]))


def search_kb(query: str, limit: int = 5) -> list[str]:
    """The text of the `limit` articles that fit `query` best; fewer where fewer share a word."""
    texts = {article.name: article.text for article in articles()}
    return [texts[name] for name, _ in rank(query)[:limit]]


@cache
def _customers() -> dict[str, dict[str, Any]]:
    rows = json.loads((DATA / "customers.json").read_text(encoding="utf-8"))
    return {row["id"]: row for row in rows}


def customer_history(customer: str) -> dict[str, Any]:
    """What we know about a customer. Raises `LookupError` for somebody whom we don't know."""
    row = _customers().get(customer)
    if row is None:
        raise LookupError(f"no customer `{customer}`")
    facts = {name: row[name] for name in ("plan", "members", "yearly", "recent")}
    return {"email": row["email"], "notes": row["notes"], "facts": facts}


def state_folder() -> Path:
    """Where the tools write; made if it isn't there."""
    named = os.environ.get("PIPELANG_SUPPORT_STATE")
    shared = os.environ.get("PIPELANG_EXAMPLE_STATE") or tempfile.gettempdir()
    folder = Path(named) if named else Path(shared) / "pipelang-support"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _append(path: Path, row: dict[str, Any]) -> int:
    """Add one line to a JSON Lines file; how many lines it has then."""
    line = json.dumps({"at": datetime.now(UTC).isoformat(), **row}, ensure_ascii=False)
    with _writing:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        with path.open(encoding="utf-8") as file:
            return sum(1 for _ in file)


def send_reply(ticket: str, body: str) -> str:
    """Put the reply into the outbox, here a file, in real life the help desk. Its message id."""
    message = f"m-{uuid.uuid4().hex[:12]}"
    _append(state_folder() / "outbox.jsonl", {"message": message, "ticket": ticket, "body": body})
    return message


def add_negative_example(ticket: str, body: str, wrong: str, corrected: str) -> int:
    """Keep a reply that people rated badly, beside the answer it should have been.

    Returns how many such examples wait for the next fit. Whoever fits the classifier moves the file
    away, and counting starts anew.
    """
    row = {"ticket": ticket, "body": body, "wrong": wrong, "corrected": corrected}
    return _append(state_folder() / "negative-examples.jsonl", row)
