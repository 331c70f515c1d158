"""Runs that began with one version of a file, and workers that were started with another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelang.runtime.durable.store import Store

from ..durable.harness import until
from ..warm import start
from .test_cli_durable import STORE, call, place, submit, told

__all__ = ["place"]  # the fixture

DRAIN = ("worker", "acts.pipe", "--store", STORE, "--drain")
SETTING = "setting least: int in 0..9 = 3\n"


def edit(place: Path, old: str, new: str, file: str = "acts.pipe") -> None:
    text = (place / file).read_text(encoding="utf-8")
    assert old in text
    (place / file).write_text(text.replace(old, new), encoding="utf-8")


def test_a_run_ends_on_the_program_that_it_began_with(place: Path) -> None:
    asks = submit(place, "asks")
    assert call(place, *DRAIN).returncode == 0
    assert told(place, "runs", "show", asks)["status"] == "waiting"
    edit(place, 'step second = call pay(first) else fail "unpaid"\n  return second', "return first")
    (case,) = told(place, "inbox")["cases"]
    assert call(place, "approve", case["id"], "--by", "a", "--store", STORE).returncode == 0
    new = submit(place, "asks")
    drained = call(place, *DRAIN)
    assert (drained.returncode, drained.stderr) == (0, "")
    found = told(place, "runs", "show", asks)
    assert found["result"] == {"value": "pay pay a"}
    assert found["program"] != told(place, "runs", "show", new)["program"]
    (case,) = told(place, "inbox")["cases"]
    assert call(place, "approve", case["id"], "--by", "a", "--store", STORE).returncode == 0
    assert call(place, *DRAIN).returncode == 0
    assert told(place, "runs", "show", new)["result"] == {"value": "pay a"}


def test_a_pipeline_that_is_gone_from_the_file_is_still_done(place: Path) -> None:
    run = submit(place, "acts")
    text = (place / "acts.pipe").read_text(encoding="utf-8")
    start, end = text.index("pipeline acts"), text.index("pipeline asks")
    (place / "acts.pipe").write_text(text[:start] + text[end:], encoding="utf-8")
    assert call(place, *DRAIN).returncode == 0
    assert told(place, "runs", "show", run)["status"] == "answered"


def test_a_copy_in_another_folder_is_a_version_too(place: Path) -> None:
    run = submit(place, "acts")
    other = place / "other"
    other.mkdir()
    for name in ("acts.pipe", "acts.py"):
        (place / name).rename(other / name)
    edit(place, "$0.00001", "$0.00003", "other/acts.pipe")
    drained = call(place, "worker", "other/acts.pipe", "--store", STORE, "--drain")
    assert drained.returncode == 0, drained.stderr
    found = told(place, "runs", "show", run)
    assert (found["status"], found["cost"]) == ("answered", "0.00012")


def test_another_file_is_no_version(place: Path) -> None:
    run = submit(place, "acts")
    (place / "acts.pipe").rename(place / "other.pipe")
    edit(place, "$0.00001", "$0.00003", "other.pipe")
    assert call(place, "worker", "other.pipe", "--store", STORE, "--drain").returncode == 0
    found = told(place, "runs", "show", run)
    waiting = {"kind": "worker", "name": found["program"], "due": None}
    assert (found["status"], found["waiting_for"]) == ("queued", waiting)


def test_a_store_names_no_function_that_the_file_does_not(place: Path) -> None:
    """Whoever can write into a database must not choose what workers call."""
    run = submit(place, "acts")
    edit(place, "acts:look", "acts:see")
    edit(place, "def look", "def see", "acts.py")
    drained = call(place, *DRAIN)
    assert drained.returncode == 0
    assert "`acts` needs tool `look`, which acts.pipe does not name" in drained.stderr
    assert told(place, "runs", "show", run)["waiting_for"]["kind"] == "worker"


@pytest.mark.parametrize(
    ("value", "said"),
    [("{}", "it is the text of no program"), ("null", "it is the text of no program")],
)
def test_a_program_that_cannot_be_read_is_left_with_a_reason(
    place: Path, value: str, said: str
) -> None:
    run = submit(place, "acts")
    store = Store.open(f"sqlite:///{place}/runs.db")
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE pipelang_programs SET value = ?, version = '9.9'", (value,)
        )
    store.close()
    edit(place, "$0.00001", "$0.00003")
    drained = call(place, *DRAIN)
    assert drained.returncode == 0
    assert "pipelang 9.9 wrote it, and this one cannot read it" in drained.stderr
    assert said in drained.stderr
    assert told(place, "runs", "show", run)["status"] == "queued"


def test_a_setting_that_was_turned_goes_with_the_run(place: Path) -> None:
    text = SETTING + "pipeline main(x: int in 0..9) -> int { return x + least }\n"
    (place / "s.pipe").write_text(text, encoding="utf-8")
    line = ("submit", "s.pipe", "--input", '{"x": 1}', "--store", STORE)
    plain, turned = call(place, *line), call(place, *line, "--set", "least=7")
    assert (plain.returncode, turned.returncode) == (0, 0), turned.stderr
    assert call(place, "worker", "s.pipe", "--store", STORE, "--drain").returncode == 0
    values = [
        told(place, "runs", "show", one.stdout.strip())["result"]["value"]
        for one in (plain, turned)
    ]
    assert values == [4, 8]
    ran = call(place, "run", *line[1:], "--set", "least=8", "--format", "json")
    assert json.loads(ran.stdout)["value"] == 9, ran.stderr
    for wrong, said in (
        ("least=10", "must be in 0..9"),
        ("most=1", "most"),
        ("least", "NAME=VALUE"),
    ):
        refused = call(place, *line, "--set", wrong)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_a_program_that_appears_while_a_worker_works_is_taken_up(place: Path) -> None:
    text = SETTING + "pipeline main(x: int in 0..9) -> int { return x + least }\n"
    (place / "s.pipe").write_text(text, encoding="utf-8")
    worker = start("worker", "s.pipe", "--store", STORE, cwd=place, log=place / "log")
    try:
        until(lambda: "ready" in (place / "log").read_text(encoding="utf-8"), 60)
        line = ("submit", "s.pipe", "--input", '{"x": 1}', "--store", STORE, "--set", "least=7")
        run = call(place, *line).stdout.strip()
        waited = call(place, "runs", "wait", run, "--store", STORE, "--timeout", "60s")
        assert waited.returncode == 0, (place / "log").read_text(encoding="utf-8")
        assert told(place, "runs", "show", run)["result"] == {"value": 8}
    finally:
        worker.kill()
        worker.wait()


def test_programs_go_when_no_run_has_them(place: Path) -> None:
    submit(place, "acts")
    assert call(place, *DRAIN).returncode == 0
    pruned = ("runs", "prune", "--older-than", "0s", "--store", STORE)
    assert call(place, *pruned).returncode == 0
    store = Store.open(f"sqlite:///{place}/runs.db")
    try:
        assert len(store.rows("SELECT 1 FROM pipelang_programs")) == 1  # it was used just now
        with store.transaction() as connection:
            connection.exec_driver_sql("UPDATE pipelang_programs SET used = used - 100000")
        submit(place, "acts")
        assert call(place, *pruned).returncode == 0
        assert len(store.rows("SELECT 1 FROM pipelang_programs")) == 1  # a run needs it
    finally:
        store.close()
