"""The tools of the supervisor example: plain functions over the parcels and invoices beside it.

What is booked goes to the folder that `PIPELANG_EXAMPLE_STATE` names, else below the system's
temporary folder, never beside the code.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

PARCEL = re.compile(r"\bNL[- ]?(\d{6})(?!\d)", re.IGNORECASE)
AMOUNT = re.compile(r"(?:[$€£]\s*(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s*(?:USD|dollars?)\b)")


def parcel_in(body: str) -> str:
    """The first parcel number in a text, in the form in which we keep it; empty without one."""
    found = PARCEL.search(body)
    return f"NL-{found[1]}" if found else ""


def amounts(text: str) -> set[Decimal]:
    """The sums of money in a text: `$1,204.50` and `1204.5 USD` are one."""
    found = (plain or worded for plain, worded in AMOUNT.findall(text))
    return {Decimal(number.replace(",", "")) for number in found}


def amounts_stand(body: str, invoice: list[str]) -> bool:
    """Whether every sum that the answer names stands on the invoice."""
    return amounts(body) <= amounts(" ".join(invoice))


@cache
def _parcels() -> dict[str, dict[str, Any]]:
    rows = json.loads((DATA / "parcels.json").read_text(encoding="utf-8"))
    return {row["id"]: row for row in rows}


@cache
def _invoices() -> dict[str, list[str]]:
    read: dict[str, list[str]] = json.loads((DATA / "invoices.json").read_text(encoding="utf-8"))
    return read


def find_parcel(account: str, parcel: str) -> dict[str, Any]:
    """A parcel of this account. Somebody else's is as unknown as one that does not exist."""
    row = _parcels().get(parcel)
    if row is None or row["account"] != account:
        raise LookupError(f"no parcel `{parcel}` in this account")
    names = ("id", "status", "delivered", "days", "returnable", "recipient")
    return {"value": Decimal(row["value"]), **{name: row[name] for name in names}}


def events(parcel: str) -> list[str]:
    """What the scanners wrote, the newest twelve; none for a parcel that was never scanned."""
    row = _parcels().get(parcel)
    return [] if row is None else row["events"][-12:]


def whole_log(parcel: str) -> str:
    """Everything that was ever scanned near a parcel: long, and the same at every look."""
    return "\n".join(f"{parcel} {hour:03} h: belt 4, Gent, no change" for hour in range(150))


def depot(name: str) -> str:
    """How a depot works today. Raises `LookupError` for a depot that we do not have."""
    known = {
        "lyon": "Lyon: open 7-19, customs desk until 16, two days behind",
        "gent": "Gent: open 6-22, no delay",
        "kiel": "Kiel: open 7-17, closed on Saturday, one day behind",
        "porto": "Porto: open 8-18, no delay",
    }
    place = known.get(name.strip().casefold())
    if place is None:
        raise LookupError(f"no depot `{name}`")
    return place


def invoice_lines(account: str) -> list[str]:
    """The lines of this month's invoice. Raises `LookupError` where there is none."""
    lines = _invoices().get(account)
    if lines is None:
        raise LookupError(f"no invoice for `{account}`")
    return lines


def book_return(parcel: str, idempotency_key: str) -> str:
    """Book a pick-up: one line in a file, in real life the carrier. The same key books once."""
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "pipelang-supervisor"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "returns.jsonl"
    known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if not any(json.loads(line)["key"] == idempotency_key for line in known):
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"key": idempotency_key, "parcel": parcel}) + "\n")
    return f"A pick-up for {parcel} is booked for tomorrow."
