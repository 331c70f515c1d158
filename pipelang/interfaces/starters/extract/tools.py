"""The tools that the pipeline calls: replace them by yours. The .pipe file has their types.

What they return is checked against its type. What they raise counts as a failed attempt.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent


def book(number: str, total: Decimal) -> str:
    """Book an invoice: here into `ledger.jsonl` beside this file. The number of its entry.

    The .pipe file calls it `idempotent`, so an invoice that is booked already stays as it is.
    """
    with (HERE / "ledger.jsonl").open("a+", encoding="utf-8") as file:
        file.seek(0)
        booked = [json.loads(line)["number"] for line in file]
        if number not in booked:
            booked.append(number)
            file.write(json.dumps({"number": number, "total": str(total)}) + "\n")
    return f"E-{booked.index(number) + 1}"
