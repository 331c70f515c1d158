"""Pictures and documents of durable runs: bytes beside the rows, never in them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import pipelang
from pipelang.runtime.durable import upkeep
from pipelang.runtime.durable.store import Store
from pipelang.runtime.media.medium import Media

from ..media import samples
from ..stage import HEAD, Models
from .by_hand import Stage

PNG, PDF = samples.noise(20, 20), samples.document(3)

SEES = """
prompt see(photo: image, page: document max 3 pages) \"\"\"{{ photo }}{{ page }}\"\"\"
tool scan(photo: image) -> document max 3 pages { effect read succeeds 100% timeout 9s }
tool print(page: document max 3 pages) -> text max 20 tokens {
  effect irreversible succeeds 100% timeout 9s
}
pipeline main(photo: image, more: [image] max 2) -> document {
  step page = call scan(photo) else fail "no"
  approve fine by boss within 9h showing page else reject
  step seen: text max 20 tokens = ask see(photo, page) by small { output 20 tokens max }
    else fail "blind"
  step done = call print(page) else fail "not printed"
  return page
}
"""


class Seeing(Models):
    takes = ("image", "document")


class Sight(Stage):
    """A store with a program that sees."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        file = folder / "sees.pipe"
        file.write_text(HEAD + SEES, encoding="utf-8")
        self.loaded = pipelang.load(file)
        self.models = Seeing(seen="a cat")
        self.scans, self.printed = 0, []
        tools = {"scan": self.scan, "print": self.print}
        self.runtime = pipelang.Runtime(
            providers={"lab": self.models}, tools=tools, people=self.inbox, store=url
        )

    def scan(self, photo: Media) -> bytes:
        assert photo.data == PNG
        self.scans += 1
        return PDF

    def print(self, page: Media) -> str:
        self.printed.append(page.data)
        return "printed"

    @property
    def main(self) -> pipelang.Handle:
        return self.loaded.pipeline("main", runtime=self.runtime)

    def approve(self, run: str) -> Any:
        (case,) = self.inbox.cases()
        asyncio.run(self.inbox.decide(case.id, yes=True, by="ada"))
        return case


@pytest.fixture
def sight(tmp_path: Path) -> Iterator[Sight]:
    made = Sight(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    yield made
    made.store.close()


def texts(store: Store) -> str:
    """All that stands in the tables besides the bytes."""
    found = []
    with store.legs.database.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            if table != "pipelang_media":
                found += [
                    str(row) for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))
                ]
    return "\n".join(found)


def test_a_run_sees_the_same_in_every_process(sight: Sight, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    run = sight.main.submit(photo={"path": str(tmp_path / "a.png")}, more=[PNG, PNG])
    (tmp_path / "a.png").unlink()  # what was submitted is in the store
    assert sight.do(sight.take(run))
    case = sight.approve(run)
    assert case.shown["pages"] == 3
    assert sight.do(sight.take(run))
    result = asyncio.run(sight.main.result(run))
    assert isinstance(result, pipelang.Answered), result
    assert (result.value.data, result.value.pages) == (PDF, 3)
    assert sight.scans == 1, "the second process has what the first one scanned"
    assert sight.printed == [PDF]
    (request,) = sight.models.requests
    assert [part.data for part in request.content] == [PNG, PDF]
    rows = sight.store.rows("SELECT run, sha256, data FROM pipelang_media")
    assert sorted(bytes(row["data"]) for row in rows) == sorted([PNG, PDF])
    written = texts(sight.store)
    assert rows[0]["sha256"] in written
    for data in (PNG, PDF):
        assert base64.b64encode(data).decode()[:60] not in written
        assert repr(data)[2:60] not in written


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_process_that_dies_anywhere_loses_nothing(sight: Sight, at: int, side: str) -> None:
    run = sight.main.submit(photo=PNG, more=[])
    lived = sight.do(sight.take(run), at, side)
    for _ in range(4):
        if sight.row(run)["status"] is not None:
            break
        if sight.inbox.cases():
            sight.approve(run)
        # The second process dies at the same row, if it comes to it; later ones live.
        lived = sight.do(sight.take(run), 0 if not lived else at, side)
    result = asyncio.run(sight.main.result(run))
    if isinstance(result, pipelang.Failed):
        assert result.code == "effect_unknown"
        assert len(sight.printed) <= 1
        return
    assert isinstance(result, pipelang.Answered)
    assert result.value.data == PDF
    assert sight.printed == [PDF]


def test_one_input_is_the_same_however_it_is_given(sight: Sight) -> None:
    first = sight.main.submit(photo=PNG, more=[], key="k")
    coded = samples.coded(PNG, "image/png")
    assert sight.main.submit(photo=coded, more=[], key="k") == first
    from pipelang.runtime.durable.address import KeyConflict

    with pytest.raises(KeyConflict):
        sight.main.submit(photo=samples.noise(9, 9), more=[], key="k")
    assert len(sight.store.rows("SELECT run FROM pipelang_media")) == 1


def test_nobody_sees_what_another_run_was_given(sight: Sight) -> None:
    sight.main.submit(photo=PNG, more=[])
    told = Media("image", "image/png", PNG, sides=(20, 20)).as_json()
    with pytest.raises(pipelang.InputError, match="its bytes are not here"):
        sight.main.submit(photo=told, more=[])


def test_bytes_go_with_their_run(sight: Sight) -> None:
    run = sight.main.submit(photo=PNG, more=[])
    other = sight.main.submit(photo=PNG, more=[])
    upkeep.cancel(sight.store, run)
    with sight.store.transaction() as connection:
        connection.execute(sa.text("UPDATE pipelang_runs SET ended = 1 WHERE run = :r"), {"r": run})
    assert upkeep.prune(sight.store, 1.0) == 1
    left = sight.store.rows("SELECT run FROM pipelang_media")
    assert [row["run"] for row in left] == [other]


def test_a_store_of_the_former_version_is_brought_up_to_date(tmp_path: Path) -> None:
    from pipelang.runtime.durable import schema
    from pipelang.runtime.durable.address import StoreUnreachable

    url = f"sqlite:///{tmp_path}/old.db"
    steps, version = schema.STEPS, schema.VERSION
    try:
        schema.STEPS, schema.VERSION = steps[:1], 1
        Store.open(url, make=True).close()
    finally:
        schema.STEPS, schema.VERSION = steps, version
    with pytest.raises(StoreUnreachable, match="older version 1"):
        Store.open(url)
    store = Store.open(url, make=True)
    assert store.rows("SELECT count(*) AS n FROM pipelang_media") == [{"n": 0}]
    store.close()
