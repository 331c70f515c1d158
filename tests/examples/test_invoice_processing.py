"""Amounts, numbers and papers of `examples/invoice_processing`, and its month that gets worse."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pipelang

from .patience import patient
from .test_systems import EXAMPLES, command, load

HERE = EXAMPLES / "invoice_processing"


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        for folder in (HERE, EXAMPLES):
            patch.syspath_prepend(str(folder))
        yield patch


@pytest.fixture(scope="module")
def tools() -> Any:
    return load(HERE / "tools.py")


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1,234", "1234"),
        ("1.234", "1234"),
        ("12,5", "12.5"),
        ("1,234,567.00", "1234567.00"),
        ("0.99", "0.99"),
        ("17", "17"),
    ],
)
def test_an_amount_is_one_amount_however_it_is_written(written: str, amount: str, tools: Any):
    assert tools.amount(written) == Decimal(amount)


@pytest.mark.parametrize(
    ("words", "total", "stands"),
    [
        ("Item 5.00\nVAT 0.95\nTotal $ 5.95", "5.95", True),
        ("Item 5.00\nVAT 0.95\nTotal $ 5.95", "5.00", False),
        ("Item 5.00\nVAT 0.95\nTotal $ 5.95", "0.95", False),
        ("Total $ 5.95\nSubtotal 5.00", "5.95", True),
        ("Total $ 5.95\nSubtotal 5.00", "5.00", False),
        ("Gesamtbetrag EUR 1.190,00", "1190", True),
        ("Gesamtbetrag EUR 1.190,00", "1.19", False),
        ("Montant à payer 1 190,00", "1190", True),
        ("Total -5.95", "5.95", False),
        ("Total (5.95)", "5.95", False),
        ("Total carried over 5.95\nAmount due 11.90", "5.95", False),
        ("Amount due: 15.95", "5.95", False),
        ("nothing here", "0", False),
    ],
)
def test_only_the_total_of_the_papers_own_line_stands_there(
    words: str, total: str, stands: bool, tools: Any
):
    assert tools.stands_there(words, Decimal(total)) is stands


@pytest.mark.parametrize("written", ["INV-0042", "inv 42", "Inv.042", "inv-42"])
def test_a_number_in_other_clothes_is_the_same_number(written: str, tools: Any):
    assert tools.same_number(written) == "INV42"


def test_a_number_that_the_paper_does_not_have_is_not_told_there(tools: Any):
    words = "Harbour IT\nInvoice INV-0018\nYour order PO7018\nTotal $ 951.06"
    assert tools.told_there(words, "inv 18")
    for wrong in ("INV-0081", "INV-001", "INV-00180", "18", "INV"):
        assert not tools.told_there(words, wrong), wrong


def test_other_numbers_stay_apart(tools: Any):
    numbers = ["INV-42", "INV-402", "INV-420", "A42", "42", "INV-4-2-0-0"]
    assert len({tools.same_number(one) for one in numbers}) == len(numbers)


def test_the_words_of_every_paper_are_found_and_a_scan_has_none(tools: Any):
    seen = set()
    for line in (HERE / "data/labels.jsonl").read_text("utf-8").splitlines():
        label = json.loads(line)
        paper = pipelang.Media("document", "application/pdf", papers(label["case"]), pages=1)
        words = tools.words_of(paper)
        odd = label.get("trap", "plain").partition(",")[0]
        seen.add(odd)
        if odd == "scan":
            assert words == ""
        elif odd not in ("empty", "no_total", "credit", "injection"):
            assert tools.stands_there(words, Decimal(str(label["answer"]["total"]))), label["case"]
    assert {"scan", "german", "french", "two_pages", "injection", "subtotal_last"} <= seen


def papers(case: str) -> bytes:
    return (HERE / f"data/papers/{case}.pdf").read_bytes()


def test_the_papers_are_those_that_the_script_makes(patch: pytest.MonkeyPatch, tmp_path: Path):
    make = load(HERE / "make.py")
    patch.setattr(make, "HERE", tmp_path)
    for part in ("data", "evals", "recordings"):
        (tmp_path / part).mkdir()
    make.main()
    made = sorted((tmp_path / "data/papers").glob("*.pdf"))
    assert len(made) == len(list((HERE / "data/papers").glob("*.pdf"))) > 150
    for path in made:
        assert path.read_bytes() == papers(path.stem), path.stem


def test_exceptions_grow_while_the_extractor_is_as_sure_as_before(
    patch: pytest.MonkeyPatch, tmp_path: Path
):
    patch.setenv("PIPELANG_EXAMPLE_STATE", str(tmp_path))
    month = load(HERE / "weeks.py")
    month.HERE = patient(HERE, tmp_path)
    rows = [line.split() for line in month.weeks()[1:]]
    caught = [int(row[3]) for row in rows]
    sure = [float(row[5].rstrip("%")) for row in rows]
    wrong = [int(row[6]) for row in rows]
    assert sum(caught[2:]) >= 2 * sum(caught[:2])
    assert max(sure) - min(sure) < 3
    assert sum(wrong) == 0
    paid = [json.loads(one) for one in (tmp_path / "pipelang-invoices/paid.jsonl").open()]
    assert len({(row["supplier"], row["number"]) for row in paid}) == len(paid) > 90
    readme = " ".join((HERE / "README.md").read_text("utf-8").split())
    assert (
        f"{sum(caught[2:])} exceptions by a check where weeks 1 and 2 had {sum(caught[:2])}"
        in readme
    )
    assert ", ".join(map(str, sure)) + "%" in readme


def test_the_rates_of_hard_papers_are_those_that_the_fit_prints():
    files = [f"examples/invoice_processing/evals/{name}.jsonl" for name in ("read", "by_hand")]
    done = command("evidence", "fit", *files, "--hard", "8%")
    assert done.returncode == 0, done.stderr
    pasted = re.findall(r"^  accuracy (.*) if hard   # ", done.stdout, re.MULTILINE)
    text = " ".join((HERE / "invoice_processing.pipe").read_text("utf-8").split())
    assert len(pasted) == 2
    for rates in pasted:
        assert f"accuracy {rates} if hard" in text


def test_the_watch_finds_the_week_in_which_reading_gets_worse():
    """Never before day 15, and within three days of it, whatever the draw."""
    watched = load(HERE / "watched.py")
    for seed in (1, 3):
        alerts = [line for line in watched.nights(seed) if "ALERT" in line]
        (alert,) = alerts
        if seed == 1:
            assert f"the alert comes on day {int(alert[:3])}," in (HERE / "README.md").read_text()
        assert 15 <= int(alert[:3]) <= 17
        assert "ALERT escalation: " in alert
        assert "`ordered`" in alert
