"""Any single edit of an audit log is found, wherever it is; some only by a remembered hash."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.runtime.sinks.audit import AuditLog
from pipelang.runtime.sinks.audit_verification import BrokenLine, Whole, verify

WORDS = st.text(max_size=8)
ENTRIES = st.lists(st.tuples(WORDS, WORDS, st.booleans()), min_size=2, max_size=6)


def written(path: Path, entries: list[tuple[str, str, bool]], torn: bool = False) -> bytes:
    for number, (kind, name, passed) in enumerate(entries):
        if torn and number == len(entries) - 1:
            with path.open("ab") as file:
                file.write(b'{"data":{"passed":tr')
        # A log of its own each time: whoever goes on need not be who began.
        AuditLog(path).append(f"k{kind}", name, f"run{number}", None, {"passed": passed})
    return path.read_bytes()


@st.composite
def edited(draw: st.DrawFn, data: bytes) -> bytes:
    """The log with one edit; cutting it at a line end is left out, see below."""
    lines = data.splitlines(keepends=True)
    what = draw(st.sampled_from(["byte", "delete", "swap", "insert", "copy", "cut", "add"]))
    at = draw(st.integers(0, len(lines) - 1))
    if what == "byte":
        place = draw(st.integers(0, len(data) - 1))
        other = draw(st.integers(0, 255).filter(lambda byte: byte != data[place]))
        return data[:place] + bytes([other]) + data[place + 1 :]
    if what == "delete":  # the last one is cutting at a line end
        at = draw(st.integers(0, len(lines) - 2))
        return b"".join(lines[:at] + lines[at + 1 :])
    if what == "swap":
        other = draw(st.integers(0, len(lines) - 1).filter(lambda line: line != at))
        lines[at], lines[other] = lines[other], lines[at]
        return b"".join(lines)
    if what == "insert":
        line = draw(st.binary(max_size=20)) + b"\n"
        return b"".join([*lines[:at], line, *lines[at:]])
    if what == "copy":
        other = draw(st.integers(0, len(lines)))
        return b"".join([*lines[:other], lines[at], *lines[other:]])
    if what == "add":
        place = draw(st.integers(0, len(data)))
        return data[:place] + draw(st.binary(min_size=1, max_size=3)) + data[place:]
    ends = {0} | {len(b"".join(lines[: n + 1])) for n in range(len(lines))}
    place = draw(st.integers(0, len(data) - 1).filter(lambda cut: cut not in ends))
    return data[:place]


@settings(max_examples=400, deadline=None)
@given(ENTRIES, st.booleans(), st.data())
def test_any_edit_is_found(entries: list, torn: bool, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        whole = written(path, entries, torn)
        found = verify(path)
        assert isinstance(found, Whole)
        assert found.entries == len(entries) + torn
        assert bool(found.torn) == torn
        changed = data.draw(edited(whole))
        if changed == whole:
            return
        path.write_bytes(changed)
        broken = verify(path)
        assert isinstance(broken, BrokenLine), changed
        # The line that is named is that of the edit or one beside it: a torn line and the entry
        # that tells of it belong together, and a missing line shows in the next one.
        same = next(
            (n for n, (a, b) in enumerate(zip(whole, changed, strict=False)) if a != b),
            min(len(whole), len(changed)),
        )
        line = whole[:same].count(b"\n") + 1
        assert abs(broken.line - line) <= 1


@settings(max_examples=50, deadline=None)
@given(ENTRIES, st.data())
def test_a_log_cut_at_a_line_end_is_found_by_a_remembered_hash(entries: list, data) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        lines = written(path, entries).splitlines(keepends=True)
        whole = verify(path)
        assert isinstance(whole, Whole)
        assert verify(path, whole.last) == whole
        kept = data.draw(st.integers(0, len(lines) - 1))
        path.write_bytes(b"".join(lines[:kept]))
        assert isinstance(verify(path), Whole)
        broken = verify(path, whole.last)
        assert isinstance(broken, BrokenLine)
        assert (broken.kind, broken.line) == ("removed", kept + 1)


@pytest.mark.parametrize("kept", [1, 2])
def test_a_hash_from_before_is_still_met_when_the_log_has_grown(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "audit.jsonl"
    written(path, [("a", "b", True)] * kept)
    before = verify(path)
    assert isinstance(before, Whole)
    written(path, [("a", "b", False)])
    after = verify(path, before.last)
    assert isinstance(after, Whole)
    assert after.entries == kept + 1
