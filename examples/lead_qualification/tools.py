"""The tools of the lead example: accounts, bills and mails as lines of files.

They go to the folder that `PIPELANG_EXAMPLE_STATE` names, else below the system's temporary folder,
never beside the code. The same idempotency key writes one line.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any


def _write(name: str, key: str, row: dict[str, Any]) -> None:
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "pipelang-leads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{name}.jsonl"
    known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if not any(json.loads(line)["key"] == key for line in known):
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"key": key, **row}, ensure_ascii=False) + "\n")


def provision(lead: str, plan: str, idempotency_key: str) -> str:
    """Make an account, here a line. Its number hangs on the key: a retry makes no second one."""
    account = "acc-" + hashlib.sha256(idempotency_key.encode()).hexdigest()[:8]
    _write("accounts", idempotency_key, {"account": account, "lead": lead, "plan": plan})
    return account


def bill(account: str, monthly: Decimal, idempotency_key: str) -> str:
    """Start a subscription. Raises `ValueError` for a sum that no plan has."""
    if monthly <= 0:
        raise ValueError(f"a bill of ${monthly}")
    _write("bills", idempotency_key, {"account": account, "monthly": str(monthly)})
    return f"bill-{account[4:]}"


def send_welcome(lead: str, body: str, idempotency_key: str) -> str:
    """Put the welcome into the outbox; who gets it, the mail system looks up by the lead."""
    _write("outbox", idempotency_key, {"lead": lead, "body": body})
    return f"m-{lead}"
