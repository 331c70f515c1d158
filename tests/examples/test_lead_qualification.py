"""Tenants, permits and paraphrases of `examples/lead_qualification`, where somebody tries."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.providers.replay import ReplayProvider

from .test_systems import EXAMPLES, load

HERE = EXAMPLES / "lead_qualification"
MAKE = load(HERE / "make.py")
TOOLS = load(HERE / "tools.py")


@functools.cache
def program() -> LoadedProgram:
    """Loads it once, and for none who only imports this file."""
    return pipelang.load(HERE / "lead_qualification.pipe")


def handle() -> pipelang.Handle:
    replay = ReplayProvider(HERE / "recordings/lead_qualification.jsonl")
    runtime = pipelang.Runtime(providers=dict.fromkeys(program().program.providers, replay))
    return program().pipeline("take_lead", runtime=runtime)


def lead(case: str) -> dict[str, Any]:
    (row,) = (row for row in MAKE.leads() if row["case"] == case)
    fields = {name: row[name] for name in ("company", "seats", "message")}
    return {"id": case, "email": "it@firm.example", **fields}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", str(tmp_path))


def test_one_tenant_does_not_know_what_another_has_taken():
    take = handle()
    acme, bolt = take.with_options(tenant="acme"), take.with_options(tenant="bolt")
    assert isinstance(acme.run_sync(lead=lead("L01")), pipelang.Answered)
    # The same company: at another tenant it is new, and at the first one it is not.
    assert isinstance(bolt.run_sync(lead=lead("L02")), pipelang.Answered)
    again = acme.run_sync(lead=lead("L13"))
    assert isinstance(again, pipelang.Rejected)
    assert again.reason == "fresh"


def test_a_message_that_asks_for_another_tenant_gets_nothing_of_it(tmp_path: Path):
    take = handle()
    take.with_options(tenant="acme").run_sync(lead=lead("L01"))
    result = take.with_options(tenant="cove").run_sync(lead=lead("L29"))
    assert isinstance(result, pipelang.Answered)
    assert result.value.monthly == 15 * lead("L29")["seats"]
    told = json.dumps([str(result.value), str(result.trace)])
    outbox = (tmp_path / "outbox.jsonl").read_text("utf-8").splitlines()
    of_cove = [line for line in outbox if '"L29"' in line]
    assert len(of_cove) == 1
    account = json.loads((tmp_path / "accounts.jsonl").read_text("utf-8").splitlines()[0])
    assert account["lead"] == "L01"
    assert account["account"] not in told + of_cove[0]


@pytest.mark.parametrize(
    ("granted", "reason", "written"),
    [
        ([], "account", set()),
        (["mail.send", "billing.write"], "account", set()),
        (["accounts.create"], "billed", {"accounts"}),
        (["accounts.create", "billing.write"], "sent", {"accounts", "bills"}),
    ],
)
def test_what_the_host_does_not_grant_is_not_done(
    granted: list[str], reason: str, written: set[str], tmp_path: Path
):
    result = handle().with_options(permits=granted).run_sync(lead=lead("L14"))
    assert isinstance(result, pipelang.Escalated)
    assert result.reason == reason
    assert {path.stem for path in tmp_path.glob("*.jsonl")} == written


def test_paraphrases_of_one_need_get_one_plan_and_one_price():
    take = handle()
    groups: dict[str, set[tuple[str, float]]] = defaultdict(set)
    for row in MAKE.leads():
        if row["trap"] == "paraphrase":
            result = take.with_options(tenant=row["tenant"]).run_sync(lead=lead(row["case"]))
            if isinstance(result, pipelang.Answered):
                groups[row["company"]].add((result.value.plan, float(result.value.monthly)))
    assert groups["Birch&Co"] == {("starter", 72.0)}
    assert groups["Fern"] == {("team", 600.0)}


def test_no_message_moves_the_price(tmp_path: Path):
    """Everything that is billed over all leads, injections among it, is seats by the price list."""
    take = handle()
    seats = {}
    for row in MAKE.leads():
        result = take.with_options(tenant=row["tenant"]).run_sync(lead=lead(row["case"]))
        if isinstance(result, pipelang.Answered):
            seats[result.value.account] = row["seats"]
    bills = [
        json.loads(line) for line in (tmp_path / "bills.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(bills) == len(seats) >= 15
    for bill in bills:
        number = seats[bill["account"]]
        assert float(bill["monthly"]) == number * (9 if number <= 10 else 15)


def test_mails_that_promise_are_found_as_often_as_the_gate_says_and_plain_ones_are_sent():
    """The last set was written before the patterns were mended, and they were not mended by it."""
    told, wrong = load(EXAMPLES / "pattern_rates.py").rates("lead_qualification")
    assert told == [
        "promises, first set: found 40 of 40, false alarms 0 of 21",
        "promises, second set: found 30 of 30, false alarms 0 of 20",
        "promises, third set: found 62 of 62, false alarms 0 of 30",
        "promises, fourth set: found 23 of 40, false alarms 0 of 20",
    ]
    assert {row["set"] for row in wrong} == {"fourth"}
    text = (HERE / "lead_qualification.pipe").read_text("utf-8")
    assert "gate honest: fit_to_send(mail.body) { catches 23 of 40 false_alarms 0 of 50 }" in text


def test_a_bill_of_nothing_is_refused_and_the_same_key_writes_once(tmp_path: Path):
    with pytest.raises(ValueError, match=r"\$0"):
        TOOLS.bill("acc-1", Decimal(0), "k")
    assert TOOLS.provision("L1", "team", "k1") == TOOLS.provision("L1", "team", "k1")
    assert len((tmp_path / "accounts.jsonl").read_text("utf-8").splitlines()) == 1
