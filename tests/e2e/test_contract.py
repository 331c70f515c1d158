"""The contract with users: what the commands answer on the files of the repository stays.

`contract.json` holds, for every example, gallery and stdlib file, the hash of its IR, its report,
the codes of its findings and the exit code of each command, beside the names of the public API. It
was written by the code before the package was rearranged. Numbers of reports are compared to six
digits, everything else exactly. Each report also is what the schema of reports says. A change that
is meant is accepted with

    PIPELANG_UPDATE=1 make test ARGS=tests/e2e/test_contract.py

which shows what changed, and writes it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import pipelang
from pipelang.interfaces.check import advice
from pipelang.interfaces.check.check import Checked, check_file
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.cli.check import report as check_report
from pipelang.interfaces.cli.main import main
from pipelang.interfaces.report.text import report_text
from pipelang.records import replace
from pipelang.semantics.loader import Loader

REPO = Path(__file__).resolve().parents[2]
STORED = Path(__file__).with_name("contract.json")
UPDATE = bool(os.environ.get("PIPELANG_UPDATE"))
FILES = sorted(
    path.relative_to(REPO).as_posix()
    for path in (
        *(REPO / "examples").rglob("*.pipe"),
        *(REPO / "stdlib").rglob("*.pipe"),
        REPO / "tests/data/language_example.pipe",
    )
)
REPORTS = Draft202012Validator(
    json.loads((REPO / "docs/schemas/report.schema.json").read_text(encoding="utf-8"))
)
SCREEN = 57
"""Lines of a window as high as a screen."""
EXIT_CODES = {
    "check": ["check"],
    "fmt": ["fmt", "--check"],
    "test": ["test"],
    "graph": ["graph"],
    "compile": ["compile"],
    "compile --to jsonschema": ["compile", "--to", "jsonschema"],
    "compile --to prism": ["compile", "--to", "prism"],
    "compile --to pyi": ["compile", "--to", "pyi"],
}
TOLERANCE = {"rel_tol": 1e-6, "abs_tol": 1e-9}
"""Of the numbers: far above what another numerical library changes, far below what a report shows.
They are stored with nine digits.
"""


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    monkeypatch.setenv("PIPELANG_NO_CACHE", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def advised(monkeypatch: pytest.MonkeyPatch) -> dict[Any, list[Checked]]:
    """What `check` found of a file, with advice. It is called for its JSON and for its text: what
    it finds is found once, and printed in both forms. Most of the time is spent in finding.
    """
    files: dict[Any, Checked] = {}
    advised: dict[Any, list[Checked]] = {}
    add_advice = advice.with_advice

    def check(path: str, loader: Loader, configs: Configs, alone: bool) -> Checked:
        question = path, configs.asked, alone
        if question not in files:
            files[question] = check_file(path, loader, configs, alone)
        return files[question]

    def with_advice(checked: list[Checked], everything: bool = False) -> list[Checked]:
        question = tuple(one.path for one in checked), everything
        if question not in advised:
            advised[question] = add_advice(checked, everything)
        return advised[question]

    monkeypatch.setattr(check_report, "check_file", check)
    monkeypatch.setattr(advice, "with_advice", with_advice)
    return advised


@pytest.mark.parametrize("file", FILES)
def test_what_the_commands_answer_stays(
    file: str, capsys: pytest.CaptureFixture[str], advised: dict[Any, list[Checked]]
) -> None:
    agrees_with_the_stored("files", file, answers(file, capsys))
    (checked,) = advised.values()
    if file.startswith("examples/"):
        is_told_on_a_screen(checked)


def is_told_on_a_screen(checked: list[Checked]) -> None:
    """The report on a file, but for findings."""
    found = report_text([replace(one, diagnostics=()) for one in checked])
    assert found.count("─" * 100) <= 1
    assert len(found.splitlines()) <= SCREEN
    for one in checked:
        assert all(analysis.pipeline.name in found for analysis in one.analyses)


def test_no_file_has_gone() -> None:
    """Neither may a file leave the contract in silence."""
    if UPDATE:
        write(stored())
    assert sorted(stored()["files"]) == FILES


def test_the_public_names_stay() -> None:
    agrees_with_the_stored("api", "pipelang", sorted(pipelang.__all__))


def answers(file: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the commands say of a file."""

    def call(words: list[str]) -> tuple[int, str]:
        capsys.readouterr()
        code = main([words[0], file, *words[1:]])
        return code, capsys.readouterr().out

    code, out = call(["check", "--format", "json"])
    report = json.loads(out)
    REPORTS.validate(report)
    assert report["pipelines"] or not file.startswith("examples/")
    numbers: list[float] = []
    frame = without_numbers(report, numbers)
    return {
        "codes": [f"{found['code']} line {found['line']}" for found in report["diagnostics"]],
        "exit": {"check --format json": code, **{n: call(w)[0] for n, w in EXIT_CODES.items()}},
        "ir": digest(call(["compile", "--to", "ir"])[1]),
        "report": digest(json.dumps(frame, sort_keys=True)),
        "numbers": [float(f"{number:.9g}") for number in numbers],
    }


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def without_numbers(value: Any, numbers: list[float]) -> Any:
    """A report with its fractions replaced by a mark; they are added to the list, in order."""
    if isinstance(value, dict):
        return {key: without_numbers(inner, numbers) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [without_numbers(inner, numbers) for inner in value]
    if isinstance(value, float):
        numbers.append(value)
        return "a fraction"
    return value


def agrees_with_the_stored(part: str, name: str, found: Any) -> None:
    kept = stored()
    was = kept[part].get(name)
    changes = list(differences(was, found))
    if UPDATE and changes:
        kept[part][name] = found
        write(kept)
        print("\n".join([f"{name}:", *changes]))
        return
    assert not changes, "\n".join([f"{name} answers otherwise than before:", *changes])


def differences(was: Any, found: Any) -> Iterator[str]:
    """What changed, one line each; numbers that are as good as equal are not told."""
    if (
        isinstance(was, dict)
        and isinstance(found, dict)
        and "numbers" in was
        and "numbers" in found
    ):
        yield from different_numbers(was["numbers"], found["numbers"])
        was, found = ({k: v for k, v in one.items() if k != "numbers"} for one in (was, found))
    if was != found:
        before, after = (json.dumps(one, indent=1).splitlines() for one in (was, found))
        yield from difflib.unified_diff(before, after, "stored", "now", lineterm="", n=1)


def different_numbers(was: list[float], found: list[float]) -> Iterator[str]:
    if len(was) != len(found):
        yield f"numbers: {len(was)} before, {len(found)} now"
        return
    for place, (old, new) in enumerate(zip(was, found, strict=True)):
        if not math.isclose(old, new, **TOLERANCE):
            yield f"number {place}: {old!r} before, {new!r} now"


def stored() -> dict[str, Any]:
    if not STORED.exists():
        return {"api": {}, "files": {}}
    kept: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return kept


def write(kept: dict[str, Any]) -> None:
    """One file of the repository a line, so that a diff tells which of them changed."""
    kept["files"] = {name: said for name, said in kept["files"].items() if name in FILES}
    lines = ["{", '"api": ' + json.dumps(kept["api"]) + ",", '"files": {']
    entries = [
        f"{json.dumps(name)}: {json.dumps(kept['files'][name])}" for name in sorted(kept["files"])
    ]
    lines += [",\n".join(entries), "}", "}"]
    STORED.write_text("\n".join(lines) + "\n", encoding="utf-8")
