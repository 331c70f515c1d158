"""The tools of the moderation example: plain functions over the authors and threads beside it.

What is settled goes to the folder that `PIPELANG_EXAMPLE_STATE` names, else below the system's
temporary folder, never beside the code.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@cache
def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return read


def author_record(author: str) -> dict[str, Any]:
    """What we know about an author. Raises `LookupError` for somebody whom we don't know."""
    row = _read("authors").get(author)
    if row is None:
        raise LookupError(f"no author `{author}`")
    return dict(row)


def thread_before(thread: str) -> list[str]:
    """The last five posts before this one; none where it opens a thread."""
    return list(_read("threads").get(thread, []))[-5:]


def state_folder() -> Path:
    """Where the tools write; made if it isn't there."""
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "pipelang-moderation"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def settle(post: str, action: str, reason: str, idempotency_key: str) -> str:
    """Write the decision down, in real life carry it out and tell the author. The receipt.

    The same key settles once; the newest line of a post counts, so that an appeal undoes.
    """
    file = state_folder() / "settled.jsonl"
    known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    rows = [json.loads(line) for line in known]
    if not any(row["key"] == idempotency_key for row in rows):
        row = {"key": idempotency_key, "post": post, "action": action, "reason": reason}
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return f"settled {post}"
