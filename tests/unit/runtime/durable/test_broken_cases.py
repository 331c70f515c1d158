"""A row that holds no case hides no other one, and is told with its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import pipelang
from pipelang import InboxBroken
from pipelang.diagnostics import RULES
from pipelang.interfaces.cli.main import main
from pipelang.runtime.durable.case_pages import CaseQuery, case_page
from pipelang.runtime.durable.cases import closed_cases, open_cases_of, withdraw_all
from pipelang.runtime.durable.versions.arms import ReleaseRuns

from .by_hand import Stage
from .test_sampling import PROGRAM

BROKEN = ["{", "[]", '"kind"', "SHARE"]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    (tmp_path / "judged.pipe").write_text(PROGRAM, encoding="utf-8")
    made.loaded = pipelang.load("judged.pipe", allow=RULES)
    yield made
    made.store.close()


def call(stage: Stage, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code of a command on the store, and what it says on standard error."""
    return main([*words, "--store", stage.store.address.url]), capsys.readouterr().err


@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("judged", [False, True])
def test_a_row_that_holds_no_case(
    value: str, judged: bool, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stage.submit("judged")
    assert stage.do(stage.take(run))
    cases = stage.inbox.cases()
    if judged:
        for case in cases:
            asyncio.run(stage.inbox.label(case.id, right=True, by="ada"))
    first, *others = stage.inbox.cases(closed=True)
    with stage.store.transaction() as connection:
        was = stage.store.rows("SELECT value FROM pipelang_cases WHERE id = :id", id=first.id)
        text = was[0]["value"].replace('"share": ', '"part": ') if value == "SHARE" else value
        connection.execute(
            sa.text("UPDATE pipelang_cases SET value = :v WHERE id = :id"),
            {"v": text, "id": first.id},
        )
    left = sorted(case.id for case in others)
    assert sorted(case.id for case in stage.inbox.cases(closed=True)) == left
    (place,) = stage.inbox.unreadable
    assert place == f"row `{first.id}` of pipelang_cases"
    with pytest.raises(InboxBroken, match="holds no case that this version can read"):
        stage.inbox.case(first.id)

    for size in (1, 2, 50):
        found, after = [], None
        while True:
            page, more = case_page(stage.store, CaseQuery(closed=True, after=after, limit=size))
            found += [case.id for case in page]
            if not more:
                break
            after = page[-1].opened_at.timestamp(), page[-1].id
        assert sorted(found) == left
    if judged:
        assert sorted(case.id for case in closed_cases(stage.store, None, None, 50)) == left
        program = stage.row(run)["program"]
        assert len(ReleaseRuns(stage.store, "judged", program, "other", 0.0).judged()) == 0
    else:
        assert sorted(case.id for case in open_cases_of(stage.store, run)) == left
    with stage.store.transaction() as connection:
        withdraw_all(stage.store, connection, run)

    note = f"note: {place} holds no case that can be read\n"
    for command in ("inbox --all", "evidence pull", "observe", "watch"):
        file = () if command.startswith("inbox") else ("judged.pipe",)
        code, said = call(stage, capsys, *command.split(), *file)
        assert note in said, (command, said)
        assert code == 0
    for one in (["inbox", first.id], ["approve", first.id]):
        code, said = call(stage, capsys, *one)
        assert code == 1
        assert f"error: {place} holds no case that this version can read: " in said
