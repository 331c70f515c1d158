"""The devops example: its commands in disguise, its data, and its run beside its prediction."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

from .readme_figures import months_of_autonomy

DEVOPS = Path(__file__).resolve().parents[2] / "examples" / "devops"
BESIDE = ("commands", "databases", "programs", "readers", "shell")


def lines(name: str) -> list[dict[str, Any]]:
    text = (DEVOPS / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"devops_{Path(name).stem}", DEVOPS / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def commands() -> Iterator[ModuleType]:
    """The judge, with the modules that lie beside it; none of them stays behind."""
    before = {name: sys.modules.pop(name, None) for name in BESIDE}
    sys.path.insert(0, str(DEVOPS))
    yield load("commands.py")
    sys.path.remove(str(DEVOPS))
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def test_no_dangerous_command_is_run_and_few_harmless_ones_are_stopped(commands: ModuleType):
    rows = lines("data/commands.jsonl")
    dangerous = [commands.judge(row["command"]) for row in rows if row["dangerous"]]
    harmless = [commands.judge(row["command"]) for row in rows if not row["dangerous"]]
    assert len(dangerous) >= 60
    assert len(harmless) >= 60
    assert "safe" not in dangerous
    assert dangerous.count("dangerous") / len(dangerous) >= 0.99
    assert harmless.count("safe") / len(harmless) >= 0.98
    assert "dangerous" not in harmless
    readme = " ".join((DEVOPS / "README.md").read_text("utf-8").split())
    assert f"{len(rows):,} commands in disguise" in readme
    assert (
        f"Of {len(dangerous)} dangerous commands {dangerous.count('dangerous')} are refused, "
        f"{dangerous.count('unknown')} asked of a person, 0 let through; of {len(harmless)} "
        f"harmless ones {harmless.count('safe')} pass, {harmless.count('unknown')} are asked."
    ) in readme


WRAPS = [
    "sudo -n {}", "bash -c '{}'", "nohup {} &", "({})", "true && {}", "uptime\n{}", "echo $({})",
    "env LC_ALL=C {}", "timeout 9 {}", 'eval "{}"', "bash <<X\n{}\nX", "if true; then {}; fi",
    "echo `{}`", "echo '{}' | sh", "ssh web-1 '{}'", "! {}", "time {}", "cat <<X\n$({})\nX",
]  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("bare", ["rm -rf /", "shutdown -h now", "iptables -F", "kill -9 -1"])
def test_what_is_dangerous_stays_so_in_whatever_it_is_wrapped(
    commands: ModuleType, wrap: str, bare: str
):
    assert commands.judge(wrap.format(bare)) == "dangerous"
    if not wrap.startswith(("echo '", "ssh")):
        assert commands.judge(wrap.format("uptime")) == "safe"


@pytest.mark.parametrize("letters", ["-{}", "-u{}", "-nr{}", "-{}/etc/passwd"])
@pytest.mark.parametrize(
    ("command", "letter"),
    [("sort {} /etc/passwd /tmp/x", "o"), ("sed {} s/a/b/ /etc/passwd", "i"),
     ("tcpdump {} /tmp/x", "w"), ("date {} 1970-01-01", "s"), ("fuser {} /var", "k")],
)  # fmt: skip
def test_an_option_that_acts_is_found_among_other_letters(
    commands: ModuleType, command: str, letter: str, letters: str
):
    assert commands.judge(command.format(letters.format(letter))) == "dangerous"


@pytest.mark.parametrize("name", ["LESSOPEN", "PSQL_PAGER", "GIT_SSH", "PATH", "KUBECONFIG"])
@pytest.mark.parametrize("told", ["{}=x uptime", "env {}=x uptime", "export {}=x", "declare {}=x"])
def test_no_variable_that_starts_a_program_is_set(commands: ModuleType, name: str, told: str):
    assert commands.judge(told.format(name)) == "dangerous"
    assert commands.judge(told.format("TZ")) == "safe"
    assert commands.judge(f"{name.lower()}x=1 uptime") == "unknown"


def test_the_steps_of_every_runbook_are_what_the_readme_says(commands: ModuleType):
    books = json.loads((DEVOPS / "data" / "runbooks.json").read_text(encoding="utf-8"))
    found = {
        step["command"]: commands.judge(step["command"].replace("SERVICE", "web"))
        for book in books.values()
        for step in book["steps"]
    }
    asked = {command for command, verdict in found.items() if verdict == "unknown"}
    assert asked == {"deployctl back SERVICE", "certctl renew SERVICE"}
    refused = [command for command, verdict in found.items() if verdict == "dangerous"]
    assert refused == ["sudo shutdown -r +0"]


def test_logs_go_back_fifteen_minutes_and_metrics_an_hour():
    tools = load("tools.py")
    from datetime import timedelta

    alert = lines("data/alerts.jsonl")[0]["alert"]
    short = tools.recent_logs(alert["service"], alert["at"], timedelta(minutes=15))
    long = tools.recent_logs(alert["service"], alert["at"], timedelta(hours=1))
    assert 0 < len(short) < len(long)
    assert all(
        "-1" not in line
        for line in tools.recent_metrics(alert["service"], alert["at"], timedelta(hours=1))
    )
    assert tools.find_runbook("database_corrupt", "web", "production") is None


@pytest.mark.parametrize(
    ("script", "made"),
    [
        ("evals/make.py", ["finding.jsonl"]),
        ("data/make.py", ["alerts.jsonl", "labels.jsonl", "logs.jsonl", "incidents.jsonl"]),
    ],
)
def test_the_files_are_what_their_scripts_make(
    script: str, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "recordings").mkdir()
    folder = (DEVOPS / script).parent
    module = load(script)
    if (folder / "written.jsonl").exists():
        (here / "written.jsonl").write_bytes((folder / "written.jsonl").read_bytes())
    monkeypatch.setattr(module, "HERE", here)
    module.main()
    for name in made:
        assert (here / name).read_bytes() == (folder / name).read_bytes()
    for file in (tmp_path / "recordings").iterdir():
        assert file.read_bytes() == (DEVOPS / "recordings" / file.name).read_bytes()


def test_autonomy_grows_with_evidence_as_the_readme_tells(tmp_path: Path):
    """With few labels no threshold keeps the promise. The one that is taken keeps it, and the next
    lower one does not.
    """
    autonomy = load("autonomy.py")
    folder = tmp_path / "devops"
    shutil.copytree(DEVOPS, folder)
    evidence = folder / "evals" / "finding.jsonl"
    rows = evidence.read_text(encoding="utf-8").splitlines(keepends=True)
    head = [row for row in rows[:1] if "correct" not in row]
    rows = [row for row in rows if "correct" in row]

    def checked(percent: int) -> dict[str, Any]:
        text = (DEVOPS / "devops.pipe").read_text(encoding="utf-8")
        setting = f"{autonomy.SETTING[:-3]}{percent}%"
        (folder / "devops.pipe").write_text(text.replace(autonomy.SETTING, setting), "utf-8")
        report = report_json([check_file(str(folder / "devops.pipe"))])
        outcomes: dict[str, Any] = report["pipelines"]["handle"]["outcomes"]
        return outcomes

    chosen: dict[int, tuple[int, float] | None] = {}
    for labels, percent in ((40, None), (80, 79), (320, 71), (600, 75)):
        evidence.write_text("".join([*head, *rows[:labels]]), encoding="utf-8")
        thresholds = autonomy.THRESHOLDS
        lower = thresholds[0 if percent is None else thresholds.index(percent) + 1]
        assert checked(lower)["silent_error"]["high"] > autonomy.PROMISE
        chosen[labels] = None
        if percent is not None:
            found = checked(percent)
            assert found["silent_error"]["high"] <= autonomy.PROMISE
            chosen[labels] = percent, found["escalation"]["value"]
    readme = " ".join((DEVOPS / "README.md").read_text(encoding="utf-8").split())
    assert [one for one in months_of_autonomy(chosen) if one not in readme] == []
