"""What a check imports, in a process of its own: modules are counted where seconds would waver."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .imports import REPO

DESK = REPO / "benchmarks" / "data" / "desk.pipe"


def loaded(folder: Path, code: int, *arguments: str) -> set[str]:
    """The modules that `pipelang` imports, but for those of a Python that does nothing."""
    plain = {name: value for name, value in os.environ.items() if name != "PIPELANG_TODAY"}
    said = [
        subprocess.run(
            [sys.executable, "-X", "importtime", *words],
            cwd=folder,
            env={**plain, "PYTHONPATH": str(REPO), "XDG_CACHE_HOME": str(folder / "cache")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )
        for words in (["-c", "pass"], ["-m", "pipelang", *arguments])
    ]
    assert [one.returncode for one in said] == [0, code], said[1].stdout
    bare, ours = (
        {
            line.rpartition("|")[2].strip()
            for line in one.stderr.splitlines()
            if line.startswith("import time:")
        }
        for one in said
    )
    return ours - bare


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("start")
    text = DESK.read_text(encoding="utf-8")
    (made / "desk.pipe").write_text(text, encoding="utf-8")
    wrong = text.replace("timeout  10s", "timeout  $5")
    assert wrong != text
    (made / "wrong.pipe").write_text(wrong, encoding="utf-8")
    return made


def test_a_check_of_which_nothing_changed(folder: Path) -> None:
    """Only what finds the answer and says it. `hashlib` would load OpenSSL."""
    loaded(folder, 1, "check", "wrong.pipe")
    found = loaded(folder, 1, "check", "wrong.pipe")
    ours = {name for name in found if name.startswith("pipelang")}
    assert len(ours) <= 20, sorted(ours)
    slow = "re enum typing signal hashlib _hashlib pathlib dataclasses json decimal click _strptime"
    assert not found & set(slow.split())


def test_a_check_that_ends_with_an_error(folder: Path) -> None:
    """The front half alone: nothing that works figures out, knows makers of models or tests."""
    found = loaded(folder, 1, "check", "--no-cache", "wrong.pipe")
    slow = "numpy jinja2 click pydantic networkx pathlib urllib.parse dataclasses inspect textwrap"
    assert not found & set(slow.split())
    assert not found & {"hashlib", "_hashlib"}, "OpenSSL is longer to load than all that it hashes"
    assert not {name for name in found if name.startswith("pipelang.analysis.m")}
    part = "pipelang.semantics.elaborate."
    assert part + "declarations.tests" not in found
    assert part + "promises.claims" not in found
    assert "pipelang.interfaces.check.provider_kinds" not in found
    assert len(found) <= 240, len(found)


def test_a_full_check_imports_what_its_file_needs(folder: Path) -> None:
    """Only what renders a template needs the library that renders; and only who has claims, cuts,
    counted shares, evidence, agents or unknowns what decides, draws and bounds them.
    """
    found = loaded(folder, 0, "check", "--no-cache", "desk.pipe")
    assert not found & set("jinja2 click pydantic networkx asyncio pathlib".split())
    assert not found & set("hashlib _hashlib urllib.parse random".split())
    few = (
        "analysis.claims.verdicts",
        "analysis.budgets.enclosures",
        "analysis.findings.origin_findings",
        "analysis.kernels.turns",
        "analysis.model.posterior",
        "analysis.sweep.robust_bounds",
        "analysis.metrics.derivation",
        "interfaces.report.pipeline",
        "semantics.evidence_file",
        "semantics.evidence_rows",
        "semantics.stand_ins",
    )
    assert not found & {f"pipelang.{name}" for name in few}
    assert not {name for name in found if name.startswith("numpy")}, "times of a small file"
    ours = {name for name in found if name.startswith("pipelang")}
    assert len(ours) <= 380, len(ours)


def test_a_configuration_without_a_store_imports_nothing_for_one(folder: Path) -> None:
    """A table is read by `tomllib`; paths and URLs are for who names a store."""
    project = folder / "project"
    project.mkdir()
    shutil.copy(folder / "desk.pipe", project)
    (project / "pyproject.toml").write_text('[tool.pipelang.production]\ntrace = "otel"\n')
    found = loaded(project, 0, "check", "--no-cache", "desk.pipe")
    assert "tomllib" in found
    assert not found & {"pathlib", "urllib.parse", "pipelang.runtime.durable.address"}


@pytest.mark.parametrize(
    "line",
    [
        ("run", "classify.pipe", "--input", "@messages.jsonl", "--line", "1"),
        ("test", "."),
    ],
    ids=lambda line: line[0],
)
def test_what_is_done_with_a_kept_program(folder: Path, line: tuple[str, ...]) -> None:
    """Neither what checks it nor what few runs need: a kept memory, cases of people, servers."""
    starter = folder / line[0]
    shutil.copytree(REPO / "pipelang" / "interfaces" / "starters" / "classify", starter)
    loaded(starter, 0, *line)
    found = loaded(starter, 0, *line)
    slow = "numpy networkx anthropic dbos mcp sqlite3 html.entities pydantic.dataclasses"
    assert not found & set(slow.split())
    checking = ("pipelang.syntax", "pipelang.semantics.build", "pipelang.analysis.metrics")
    assert not {name for name in found if name.startswith(checking)}
    assert "pipelang.runtime.mcp.sessions" not in found
    ours = {name for name in found if name.startswith("pipelang")}
    assert len(ours) <= 222, len(ours)
