"""Numbers for editors: what a lens says is what `check` says; jobs can be given up at any time."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelang.interfaces.cache import entries
from pipelang.interfaces.check.advice import with_advice
from pipelang.interfaces.check.check import check_file, findings_before_analysis
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.language_server.analysis import numbers
from pipelang.interfaces.language_server.analysis.background import Background
from pipelang.interfaces.language_server.analysis.job import do
from pipelang.interfaces.language_server.analysis.numbers import advice_of, numbers_of
from pipelang.interfaces.language_server.analysis.plain_findings import key_of, plain_finding
from pipelang.interfaces.language_server.features.hover import _of_item
from pipelang.interfaces.language_server.features.lenses import hints
from pipelang.interfaces.language_server.features.renaming import edited
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.session import CURRENT, Root, look
from pipelang.semantics.build import build
from pipelang.semantics.walk import all_items
from tests.suite.chunks import all_chunks

from .editor import Editor

REPO = Path(__file__).parents[4]
SUPPORT = str(REPO / "examples/support/support.pipe")


@pytest.fixture(scope="module")
def support():
    return check_file(SUPPORT)


def test_the_lens_of_the_contract(support):
    lens = numbers_of(support)["pipelines"]["handle_ticket"]["lens"]
    assert re.fullmatch(
        r"answered right 42\.\d% \(\d\d\.\d–\d\d\.\d%\) · wrong unnoticed 2\.\d% · \$0\.004\d · "
        r"8\.\d+s p95",
        lens,
    )


def test_what_is_too_large_is_said(support, monkeypatch):
    monkeypatch.setattr(numbers, "MOST_ADVISED", 500)
    monkeypatch.setattr(numbers, "MOST_GATES", 3)
    told = numbers_of(support)["pipelines"]["handle_ticket"]
    assert told["lens"].endswith(" p95 · no advice: over 500 lines")
    assert told["items"]["second_look"] == {
        "hint": "to people 0.2%",
        "tooltip": "not worked out: over 3 parts",
    }
    assert list(do({"id": 1, "path": SUPPORT, "texts": {SUPPORT: "# \n" * 501}}))[1]["advice"] == {}


def test_what_passes_the_last_gate_wrong_is_what_nobody_notices(support):
    items = numbers_of(support)["pipelines"]["handle_ticket"]["items"]
    analysis = next(one for one in support.analyses if one.pipeline.name == "handle_ticket")
    wrong = analysis.numbers["silent_error"].value
    assert wrong is not None
    assert f"lets through wrong {wrong:.1%}" in items["second_look"]["hint"]
    kind = next(row for row in analysis.steps if row.name == "kind")
    assert kind.own is not None
    assert kind.reached.value is not None
    assert f"alone {kind.own:.2%} · reached {kind.reached.value:.1%}" in items["kind"]["hint"]


def test_advice_has_edits_that_make_it(support):
    advised = with_advice([support])[0]
    for told in advice_of(advised).values():
        for one in told:
            mine = [edit[1:] for edit in one["edits"] if edit[0] == SUPPORT]
            if mine:
                text = edited(support.sources[SUPPORT].text, [tuple(edit) for edit in mine])
                assert build(SUPPORT, OpenFiles({SUPPORT: text})).program is not None


def test_findings_before_the_analysis_are_among_those_after_it():
    """Over the conformance suite: nothing is told at once that is taken back later."""
    for chunk in [one for one in all_chunks() if one.kind == "check"][::5]:
        loader = _Files(chunk.files)
        configs = Configs(loader)
        early = findings_before_analysis(build("case.pipe", loader), "case.pipe", loader, configs)
        whole = check_file("case.pipe", loader, configs).diagnostics
        late = {key_of(plain_finding(one)) for one in whole}
        assert {key_of(plain_finding(one)) for one in early} <= late, chunk.id


class _Files(DiskLoader):
    def __init__(self, files):
        super().__init__()
        self.files = files

    def read(self, path):
        return self.files.get(path) if not path.startswith("std/") else super().read(path)


def test_numbers_are_kept_as_long_as_nothing_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Nothing is kept by a process whose modules were written a moment before it began, nor believed
    # once something was made in a folder on Python's path: another test's file in ours, say.
    monkeypatch.setattr(entries, "_OLD_ENOUGH", time.time_ns())
    monkeypatch.setattr(entries, "_installation", lambda cwd: ())
    monkeypatch.chdir(tmp_path)
    text = (REPO / "examples/gallery/05_gate.pipe").read_text(encoding="utf-8")
    (tmp_path / "a.pipe").write_text(text, encoding="utf-8")
    calls = []
    from pipelang.interfaces.language_server.analysis import job

    monkeypatch.setattr(job, "check_file", lambda *a, **k: calls.append(1) or check_file(*a, **k))
    work = {"id": 1, "path": "a.pipe", "texts": {"a.pipe": text}}
    first, second = list(do(work)), list(do(work))
    assert first == second
    assert len(calls) == 1
    assert len(list(do(work | {"texts": {"a.pipe": text + "\n# x\n"}}))) == 2
    assert len(calls) == 2, "a text that is not on the disk is not kept"


def test_lenses_are_told_as_they_come(monkeypatch):
    """By name, each once, with how many are left; they are those of the numbers in the end."""
    from pipelang.interfaces.language_server.analysis import job

    monkeypatch.setattr(job, "BETWEEN", 0.0)
    path = str(REPO / "examples/gallery/11_counted.pipe")
    text = Path(path).read_text(encoding="utf-8") + "\n# not as on the disk\n"
    told = []
    numbers = next(do({"id": 7, "path": path, "texts": {path: text}}, told.append))["numbers"]
    lenses = {name: one["lens"] for name, one in numbers["pipelines"].items()}
    assert {name: lens for one in told for name, lens in one["some"].items()} == lenses
    assert [len(one["some"]) for one in told] == [1, 1, 1]
    assert [one["left"] for one in told] == [2, 1, 0]


def test_a_job_is_given_up_and_the_next_one_done():
    many = "".join(
        f"pipeline p{at}(a: text max 9 tokens) -> text {{ step b: text max 9 tokens = ask q(a) by "
        f"haiku {{ accuracy {at % 90 + 5} of 99 timeout 9s output 5 tokens mean, 9 tokens max }} "
        f'else fail "no" return b }}\n'
        for at in range(300)
    )
    slow = f'use std.tiers\nprompt q(a: text max 9 tokens) """{{{{ a }}}}"""\n{many}'

    async def scene() -> list[tuple[str, bool]]:
        background, told = Background(min), []
        done = asyncio.Event()

        def tell(name):
            def take(number, answer):
                told.append((name, "numbers" in answer))
                if name == "quick" and answer.get("end"):
                    done.set()

            return take

        background.ask("slow.pipe", {"slow.pipe": slow}, tell("slow"))
        while background._pid is None:  # noqa: ASYNC110  (until it is being worked at)
            await asyncio.sleep(0.02)
        background.cancel("slow.pipe")
        background.ask("quick.pipe", {"quick.pipe": "role staff { people 1 }\n"}, tell("quick"))
        await asyncio.wait_for(done.wait(), 60)
        assert background.is_idle or not background._waiting
        await background.close()
        return told

    told = asyncio.run(scene())
    assert ("quick", True) in told
    assert not [name for name, _ in told if name == "slow"]


def test_after_practice_a_job_has_little_left_to_import():
    """Numbers of a first program take a third longer in a process that has worked out none."""
    script = f"""
import sys
from pipelang.interfaces.language_server.analysis.job import do, practise, prepare
prepare()
practise()
before = set(sys.modules)
answers = list(do({{"id": 1, "path": {SUPPORT!r}, "texts": {{}}, "folder": "."}}))
assert "numbers" in answers[0], answers
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPO,
        env={**os.environ, "PIPELANG_NO_CACHE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    late = done.stdout.split()
    assert "numpy" not in late
    assert len(late) <= 12, late


TWO_OF_A_NAME = """\
role help { }
tool look(x: int) -> int { effect read succeeds 100% }

pipeline p(x: int, a: bool) -> int {
  traffic { a: 30% }
  when a {
    let z = x + 1
    step y = call look(z) else fail "no"
  } else {
    step z = call look(x) else fail "no"
    step y = call look(z) else fail "no"
  }
  return x
}
"""


def test_steps_of_one_name_have_their_own_numbers() -> None:
    editor = Editor(two=TWO_OF_A_NAME)
    path = editor.path("two.pipe")
    root = Root(path)
    root.survey, root.findings = look(path, {path: TWO_OF_A_NAME})
    root.numbers = numbers_of(check_file(path, OpenFiles({path: TWO_OF_A_NAME})))
    root.state = CURRENT
    lines = editor.session.documents.lines_of(path)
    shown = {one.position.line: one.label for one in hints(root, lines)}
    reached = {7: "30.0%", 9: "70.0%", 10: "70.0%"}
    assert shown == {at: f"alone 100% · reached {share} · $0" for at, share in reached.items()}
    assert root.survey is not None
    assert root.survey.draft is not None
    for at, share in reached.items():
        items = all_items(root.survey.draft.pipelines["p"].block)
        declared = next(one.span for one in items if lines.position(one.span.start).line == at)
        assert f"reached {share}" in next(_of_item(root, root.survey, declared))
