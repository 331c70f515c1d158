"""The finance example: planted wrong numbers, statements, and its run beside its prediction."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pipelang
from pipelang.runtime.providers.replay import ReplayProvider

FINANCE = Path(__file__).resolve().parents[2] / "examples" / "finance"
BESIDE = ("figures", "statements")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"finance_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the module of their class
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def statements() -> Iterator[ModuleType]:
    """The tools, with the module that lies beside them; nothing stays behind."""
    before = {name: sys.modules.pop(name, None) for name in BESIDE}
    path = list(sys.path)
    sys.path.insert(0, str(FINANCE))
    yield load(FINANCE / "statements.py")
    sys.path[:] = path
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def test_planted_numbers_are_caught_and_right_ones_are_not(statements: ModuleType):
    source = json.loads((FINANCE / "data" / "facts.json").read_text(encoding="utf-8"))
    rows = lines(FINANCE / "data" / "sentences.jsonl")
    found = {
        row["case"]: statements.offenders(row["body"], source["facts"], source["years"])
        for row in rows
    }
    wrong = [row["case"] for row in rows if row["wrong"]]
    right = [row["case"] for row in rows if not row["wrong"]]
    assert len(wrong) >= 60
    assert len(right) >= 60
    assert [case for case in wrong if not found[case]] == []
    assert [case for case in right if found[case]] == ["B018"]
    readme = " ".join((FINANCE / "README.md").read_text("utf-8").split())
    assert f"{len(rows)} sentences, {len(wrong)} of them with a wrong number" in readme
    assert f"Of {len(wrong)} planted ones {len(wrong)} are caught" in readme
    assert f"with 1 false alarm among {len(right)} right sentences" in readme


@pytest.mark.parametrize("digits", [0, 1, 2, 3])
@pytest.mark.parametrize("value", [4218.625, 0.985, 73.5, 912.0, 15.055])
def test_a_rounded_figure_is_found_and_its_neighbour_is_not(
    statements: ModuleType, value: float, digits: int
):
    fact = {"name": "x", "value": value, "unit": "money", "currency": "USD", "change": False}
    told = f"{value:,.{digits}f}"
    shown = float(told.replace(",", ""))
    assert (statements.offenders(f"It is ${told} million.", [fact], []) == []) is (
        10**-digits <= value / 10 or shown == value
    )
    for step in (-2, 2):
        other = f"{shown + step * 10**-digits:,.{digits}f}"
        assert statements.offenders(f"It is ${other} million.", [fact], []), other


DISGUISES = [
    "${:,.1f} million", "US${:,.1f}m", "${:,.1f} million[3]", "${:,.1f} million¹", "USD {:,.1f}mn",
    "{:,.1f} million US dollars", "between ${:,.1f}–${:,.1f} million", "1. Cash: ${:,.1f} million",
    "Cash (USD million): {:,.1f}", "cash (${:,.1f} million)",
]  # fmt: skip
SPELLINGS = {
    "plain": lambda told: told,
    "thin space": lambda told: told.replace(",", "\u2009"),
    "no-break space": lambda told: told.replace(",", "\u202f"),
    "apostrophe": lambda told: told.replace(",", "’"),
    "full width": lambda told: "".join(
        chr(ord(c) + 0xFEE0) if c in "0123456789" else c for c in told
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguise_hides_no_wrong_number_and_stops_no_right_one(
    statements: ModuleType, disguise: str, spelling: str
):
    fact = {"name": "x", "value": 4218.6, "unit": "money", "currency": "USD", "change": False}

    def told(value: float) -> list[str]:
        text = SPELLINGS[spelling](disguise.format(value, value))
        found: list[str] = statements.offenders(text, [fact], [2026])
        return found

    assert told(4218.6) == []
    for wrong in (4281.6, 421.8, 42186.0, 4218.8, 8.6):
        assert told(wrong), wrong
    assert statements.offenders(disguise.replace("$", "A$").format(4218.6, 4218.6), [fact], []) or (
        "$" not in disguise
    )


def test_no_figure_of_a_statement_may_be_changed(statements: ModuleType):
    odd = {label["case"] for label in lines(FINANCE / "data" / "labels.jsonl") if "trap" in label}
    records = lines(FINANCE / "recordings" / "finance.jsonl")[1:]
    tried = 0
    for record in records:
        ticker = record["args"]["filing"]["ticker"]
        if record["prompt"] != "extract_figures" or ticker in odd:
            continue
        text = statements.statement({"ticker": ticker, "year": 2026, "quarter": 3})
        answer = record["answer"]
        assert statements.stands(text, answer), ticker
        for name in statements.NAMES:
            for changed in (-answer[name], answer[name] * 1000, answer[name] + 0.2):
                assert not statements.stands(text, {**answer, name: changed}), (ticker, name)
                tried += 1
        assert not statements.stands(text, {**answer, "currency": "EUR"})
    assert tried > 300


def test_no_path_leads_out_of_the_statements(statements: ModuleType):
    for ticker in ("../../secrets", "A/B", "", "abc", "A\n"):
        with pytest.raises(LookupError):
            statements.statement({"ticker": ticker, "year": 2026, "quarter": 3})


def test_the_evidence_is_what_its_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = load(FINANCE / "evals" / "make.py")
    monkeypatch.setattr(module, "HERE", tmp_path)
    module.main()
    made = (tmp_path / "figures.jsonl").read_bytes()
    assert made == (FINANCE / "evals" / "figures.jsonl").read_bytes()


def test_the_past_and_the_peers_are_looked_up_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each waits until the other has begun: one after the other, both would run out of time."""
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", str(tmp_path))
    program = pipelang.load(FINANCE / "finance.pipe")
    filing = lines(FINANCE / "data" / "filings.jsonl")[0]["filing"]
    both = asyncio.Barrier(2)

    async def look_up(filing: Any, extract: Any) -> list[Any]:
        async with both:
            return []

    async def run() -> pipelang.Result:
        replay = ReplayProvider(FINANCE / "recordings" / "finance.jsonl")
        runtime = pipelang.Runtime(
            providers=dict.fromkeys(program.program.providers, replay),
            tools={"trends": look_up, "peers": look_up},
        )
        return await program.pipeline("analyse", runtime=runtime).run(filing=filing)

    result = asyncio.run(run())
    steps = {event.name for event in result.trace if event.kind == "result"}
    assert {"past", "others"} <= steps
    assert not (isinstance(result, pipelang.Escalated) and result.reason in ("past", "others"))
