"""The tools of the finance example, over the statements that ship beside this file.

`record` writes to the folder that `PIPELANG_EXAMPLE_STATE` names, else below the system's temporary
folder, never beside the code.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from figures import offenders

DATA = Path(__file__).parent / "data"
NAMES = (
    "revenue",
    "operating_income",
    "net_income",
    "cash",
    "current_assets",
    "current_liabilities",
)
LABELS = {
    "revenue": r"(total )?(net )?(revenues?|sales)|umsatzerlöse",
    "operating_income": r"operating (income|loss|result)( \(loss\))?|betriebsergebnis",
    "net_income": r"net (income|loss|earnings)( \(loss\))?|jahresergebnis",
    "cash": r"cash and (cash )?equivalents|zahlungsmittel",
    "current_assets": r"total current assets|umlaufvermögen",
    "current_liabilities": r"total current liabilities|kurzfristige verbindlichkeiten",
}
UNITS = {"thousand": 0.001, "million": 1.0, "billion": 1000.0, "tausend": 0.001, "mio": 1.0}
_writing = threading.Lock()


@cache
def _history() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "history.json").read_text(encoding="utf-8"))
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, dict) else value.model_dump(mode="json")


def statement(filing: Any) -> str:
    """The text of a filing. Raises `LookupError` where there is none."""
    asked = _plain(filing)
    path = DATA / "statements" / f"{asked['ticker']}-{asked['year']}Q{asked['quarter']}.txt"
    if not re.fullmatch(r"[A-Z]{1,6}", asked["ticker"]) or not path.exists():
        raise LookupError("no such statement")
    return path.read_text(encoding="utf-8")


def _amount(text: str, german: bool) -> float:
    digits = text.replace(".", "").replace(",", ".") if german else text.replace(",", "")
    number = float(re.sub(r"[^\d.]", "", digits))
    return -number if re.match(r"\s*[-−(]", text) else number


def stands(statement: str, extract: Any) -> bool:
    """Whether each figure stands on its line, with its sign, in the unit of the statement."""
    got = _plain(extract)
    unit = re.search(r"\bin (thousand|million|billion|tausend|mio)", statement, re.I)
    if unit is None or got["currency"] not in statement:
        return False
    factor, german = UNITS[unit[1].lower()], unit[1].lower() in ("tausend", "mio")
    for name in NAMES:
        line = re.search(
            rf"^\s*(?:{LABELS[name]})\s*[.:|]*\s*(?P<first>[-−(]?\s*[$€]?\s*\d[\d.,]*\)?)",
            statement,
            re.I | re.M,
        )
        if line is None:
            return False
        if abs(_amount(line["first"], german) * factor - float(got[name])) > 0.0501:
            return False
    return True


def _fact(
    name: str, value: float, unit: str, currency: str = "", change: bool = False
) -> dict[str, Any]:
    digits = 2 if unit == "ratio" else 1
    return {
        "name": name,
        "value": round(value, digits),
        "unit": unit,
        "currency": currency,
        "change": change,
    }


def metrics(extract: Any) -> list[dict[str, Any]]:
    """The figures themselves, margins, and the current ratio."""
    got = {
        key: value if isinstance(value, (str, bool)) else float(value)
        for key, value in _plain(extract).items()
    }
    found = [
        _fact(name.replace("_", " "), got[name], "money", got["currency"]) for name in NAMES[:4]
    ]
    if got["revenue"]:
        found.append(
            _fact("operating margin", 100 * got["operating_income"] / got["revenue"], "percent")
        )
    if got["current_liabilities"]:
        found.append(
            _fact("current ratio", got["current_assets"] / got["current_liabilities"], "ratio")
        )
    return found


def trends(filing: Any, extract: Any) -> list[dict[str, Any]]:
    """Changes against the same quarter a year before."""
    asked, got = _plain(filing), _plain(extract)
    before = _history().get(asked["ticker"])
    if before is None:
        return []
    found = []
    for name in ("revenue", "cash"):
        change = 100 * (float(got[name]) / before[name] - 1)
        found.append(_fact(f"{name} change", change, "percent", change=True))
    now = 100 * float(got["operating_income"]) / float(got["revenue"])
    then = 100 * before["operating_income"] / before["revenue"]
    return [*found, _fact("margin change", now - then, "points", change=True)]


def peers(filing: Any, extract: Any) -> list[dict[str, Any]]:
    """The median margin of the others, and how far this one is from it."""
    asked, got = _plain(filing), _plain(extract)
    others = sorted(
        100 * row["operating_income"] / row["revenue"]
        for ticker, row in _history().items()
        if ticker != asked["ticker"]
    )
    median = round(others[len(others) // 2], 1)
    margin = 100 * float(got["operating_income"]) / float(got["revenue"])
    return [
        _fact("peer margin", median, "percent"),
        _fact("gap to peers", margin - median, "points", change=True),
    ]


def strangers(narrative: Any, facts: list[Any], year: int) -> str:
    """The numbers of a narrative that are no facts, for the next try; empty if there are none."""
    told = _plain(narrative)
    text = "\n".join([told["body"], *told["risks"], *told["red_flags"]])
    found = offenders(text, facts, [year, year - 1])
    return "" if not found else "These numbers are not among the figures: " + "; ".join(found[:8])


def record(filing: Any, facts: list[Any], narrative: Any) -> str:
    """Keep data and text together; the number of the record."""
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = (Path(named) if named else Path(tempfile.gettempdir())) / "pipelang-finance"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    row = {
        "at": datetime.now(UTC).isoformat(),
        "filing": _plain(filing),
        "facts": [_plain(fact) for fact in facts],
        "narrative": _plain(narrative),
    }
    path = folder / "analyses.jsonl"
    with _writing:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        with path.open(encoding="utf-8") as file:
            return f"r{sum(1 for _ in file)}"
