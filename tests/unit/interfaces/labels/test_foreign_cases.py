"""A case that was cut, edited or written by another program is told with its place, by every
reader: each field of a real one in turn is missing, of another type, or a number that cannot be.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipelang
from pipelang import Case, Inbox, Runtime
from pipelang.diagnostics import RULES
from pipelang.interfaces.cli.commands import group
from pipelang.interfaces.cli.evidence.pull import _corrections
from pipelang.interfaces.labels.rows import rows_of, with_rows
from pipelang.interfaces.labels.verdicts import verdicts
from pipelang.interfaces.observation.labels import labels_from
from pipelang.interfaces.report.runs.cases import case_lines, case_whole
from pipelang.interfaces.text.colours import painter
from pipelang.runtime.durable.versions.arms import silently_wrong
from pipelang.runtime.inbox.case_records import NoCase, case_from, case_json
from pipelang.runtime.inbox.cases import Refused, Verdict, decided, settled
from pipelang.semantics.evidence_file import Flaw, read_evidence
from pipelang.statistics.weights import sampling_weights, weighted_share

from ..edited_json import DELETED, paths, with_value
from .test_pull import PROGRAM, Model, Office, of

TEXT = PROGRAM.replace("SHARE", "100%").replace("PROMPT", "say").replace("rushed 20s", "")
VALUES: list[Any] = [
    *(DELETED, None, True, False, 0, 1, -1, 0.5, 1e308, 5e-324, 10**400, 10**10),
    *(float("nan"), float("inf"), "", "x", "0.5", "\x00", "(", "2026-01-01T00:00:00"),
    *([], [1], ["x"], [None], {}, {"a": 1}, {"x": None}, {"type": "array"}),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[Case]]:
    """A program, and the cases of a run of it: an open one, and one that was judged."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "kind.jsonl").write_text('{"case": "old", "confidence": 0.5, "correct": true}\n')
    (folder / "main.pipe").write_text(TEXT, encoding="utf-8")
    with contextlib.chdir(folder):
        loaded = pipelang.load("main.pipe", allow=RULES)
    inbox = Inbox()
    handle = loaded.pipeline("main", runtime=Runtime(providers={"lab": Model()}, people=inbox))
    asyncio.run(handle.run(x="x"))
    cases = [case for case in inbox.cases() if case.name == "kind"]
    for case in cases[1:]:
        said = {"value": "w", "confidence": 0.5}
        asyncio.run(inbox.look(case.id, "ada"))
        asyncio.run(inbox.label(case.id, right=False, by="ada", answer=said, sure=0.9))
    return loaded.program, [inbox.case(case.id) for case in cases]


def read_by_all(program: Any, data: bytes, others: list[Case], folder: Path) -> None:
    """What every command does with a case, once it is taken for one."""
    try:
        case = case_from(data)
    except NoCase:
        return
    now = datetime.now(UTC)
    paint = painter(False)
    for one in (case, settled(case, now, True)):
        case_lines([one], now, paint, 80, True)
        case_whole(one, now, paint, 80, "")
        for answer in ("x", {"value": "w", "confidence": 0.25}):
            with contextlib.suppress(Refused):
                decided(one, Verdict(yes=False, by="zoe", answer=answer), others, now)
    found = verdicts(program, [*others, case])
    rows = rows_of(program, found.judged, {"kind.jsonl": ""}, {})
    for name, file in rows.files.items():
        if file.new:
            assert not isinstance(read_evidence(name, with_rows("", file.new)), Flaw)
    _corrections(str(folder / "corrections.jsonl"), found.judged, quiet=True)
    labels = labels_from(program, "main", [*others, case]).labels
    weights = sampling_weights(label.chance for label in labels)
    weighted_share(zip([label.right for label in labels], weights, strict=True))
    if case.verdict is not None:
        silently_wrong("answered", [case])


@pytest.mark.parametrize("which", [0, 1])
def test_a_field_that_is_none_of_ours_breaks_no_reader(
    which: int, real: tuple[Any, list[Case]], tmp_path: Path
) -> None:
    program, cases = real
    record = case_json(cases[which])
    others = [cases[1 - which]]
    for path in paths(record):
        for value in VALUES:
            if path or value != DELETED:
                data = json.dumps(with_value(record, path, value)).encode()
                read_by_all(program, data, others, tmp_path)


NUMBERS = st.floats() | st.integers()
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(data=st.data())
def test_nor_do_several_fields_at_once(
    data: st.DataObject, real: tuple[Any, list[Case]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    program, cases = real
    which = data.draw(st.sampled_from([0, 1]))
    record = case_json(cases[which])
    for path in data.draw(st.lists(st.sampled_from([*paths(record)]), min_size=1, max_size=3)):
        if path:
            with contextlib.suppress(KeyError, TypeError):
                record = with_value(record, path, data.draw(ANYTHING))
    folder = tmp_path_factory.getbasetemp()
    read_by_all(program, json.dumps(record).encode(), [cases[1 - which]], folder)


WRONG = [
    (("about", "share"), DELETED, "`about.share` is missing"),
    (("about", "draw"), "0.5", "`about.draw` must be a number from 0, below 1"),
    (("about", "visit"), {}, "`about.visit` must be a whole number from 0"),
    (("about", "confidence"), "0.9", "`about.confidence` must be a number or null"),
    (("about",), None, "`about` is missing"),
    (("shown",), [1], "`shown` must be an object"),
    (("opened_at",), "2026-01-01T00:00:00", "`opened_at` is a time without an offset"),
    (("shape", "type"), [], "`shape.type` is none that a shape has"),
    (("verdict",), DELETED, "`state` is decided, without a `verdict`"),
    (("verdict", "seconds"), -1, "`verdict.seconds` must be 0 or more"),
    (("role",), 5, "`role`: input should be a valid string"),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG)
def test_it_is_told_with_its_place_and_the_others_count(
    path: tuple[str, ...],
    value: Any,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from click.testing import CliRunner

    office = Office(tmp_path, monkeypatch)
    office.write()
    office.run(2)
    first, second = office.judge(of("kind", "labellers"), True, seconds=30)
    file = Path(".pipelang/inbox/closed", f"{first.id}.json").resolve()
    record = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(with_value(record, path, value)), encoding="utf-8")
    note = f"note: `.pipelang/inbox/closed/{first.id}.json` holds no case that can be read"
    for command in (["evidence", "pull", "main.pipe"], ["inbox", "--all"]):
        done = CliRunner().invoke(group, command)
        assert (done.exit_code, done.stderr) == (0, note + "\n"), (command, done.exception)
    assert [row["case"] for row in office.rows()] == [second.run_id]
    shown = CliRunner().invoke(group, ["inbox", first.id])
    assert shown.exit_code == 1
    assert words in shown.stderr
