"""The tools of the invoices example: the words of papers, suppliers, orders, and payments.

What is paid goes to the folder that `PIPELANG_EXAMPLE_STATE` names, else below the system's
temporary folder, never beside the code.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
TOTAL = re.compile(
    r"(?i)(total|amount due|balance due|to pay|gesamt|zu zahlen|montant|à payer|a pagar)"
)
PART = re.compile(r"(?i)(sub-?total|net total|zwischensumme|sous-total|total tax|tax total|saved)")
NUMBER = re.compile(r"\(?-?\d[\d.,' ]*\d|\d")


@cache
def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return read


def words_of(paper: Any) -> str:
    """The text that the file itself has; empty for a scan. At most what the type allows."""
    from pypdf import PdfReader

    pages = PdfReader(io.BytesIO(paper.data)).pages
    return "\n".join(page.extract_text() for page in pages)[:8000].strip()


def amount(text: str) -> Decimal | None:
    """1,234.50 and 1.234,50 and 1 234,50 and 1'234.50 are one amount; None for what is none."""
    bare = re.sub(r"[' ]", "", text.strip("(-"))
    point = max(bare.rfind("."), bare.rfind(","))
    if point >= 0 and len(bare) - point - 1 == 3 and bare.count(bare[point]) == 1:
        point = -1  # a separator of thousands, no cents
    whole = re.sub(r"[.,]", "", bare if point < 0 else bare[:point])
    cents = "" if point < 0 else bare[point + 1 :]
    try:
        return Decimal(f"{whole}.{cents or '0'}")
    except InvalidOperation:
        return None


def stands_there(words: str, total: Decimal) -> bool:
    """Whether the amount stands in the last line that tells a total, as a positive number."""
    lines = [line for line in words.splitlines() if TOTAL.search(line) and not PART.search(line)]
    told = [line for line in lines if NUMBER.search(line)]
    if not told:
        return False
    found = [match[0] for match in NUMBER.finditer(told[-1])]
    return any(not one.startswith(("(", "-")) and amount(one) == total for one in found)


def same_number(number: str) -> str:
    """Letters and digits of an invoice's number; zeros in front of digits do not count."""
    bare = re.sub(r"[^A-Z0-9]", "", number.upper())
    return re.sub(r"(?<!\d)0+(?=\d)", "", bare) or "NONE"


def told_there(words: str, number: str) -> bool:
    """Whether a line of the paper has this number, in whatever clothes, and as a whole."""
    wanted = same_number(number)
    parts = re.findall(r"[A-Za-z]*[-. #]?\d[\w-]*", words)
    return any(same_number(part) == wanted for part in parts)


def entry_of(supplier: str, number: str) -> str:
    """The key of the books: a number means something only beside its supplier."""
    return f"{supplier}/{number}"


def supplier_named(name: str) -> dict[str, Any]:
    """The supplier with this name. Raises `LookupError` for a stranger."""
    wanted = re.sub(r"\W", "", name).lower()
    for row in _read("suppliers").values():
        if re.sub(r"\W", "", row["name"]).lower() == wanted:
            return {"id": row["id"], "account": row["account"]}
    raise LookupError("no such supplier")


def order_numbered(number: str) -> dict[str, Any]:
    """What is open of an order, with 2% to spare. Raises `LookupError` where there is none."""
    row = _read("orders").get(number)
    if row is None:
        raise LookupError("no such order")
    return {"supplier": row["supplier"], "open": Decimal(row["open"])}


def state_folder() -> Path:
    """Where the tools write; made if it isn't there."""
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = (Path(named) if named else Path(tempfile.gettempdir())) / "pipelang-invoices"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def pay(supplier: str, number: str, total: Decimal, idempotency_key: str) -> str:
    """Write the payment down, in real life hand it to the bank. The same key pays once."""
    file = state_folder() / "paid.jsonl"
    known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if not any(json.loads(line)["key"] == idempotency_key for line in known):
        row = {"key": idempotency_key, "supplier": supplier, "number": number, "total": str(total)}
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
    return f"paid {supplier} {number}"[:60]
