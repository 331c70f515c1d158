"""What a change does: two files, and a file with a revision of itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pipelang.interfaces.cli.main import main

PIPE = """
provider p {{ available 100% }}
tier t {{ provider p transient 5% price $0 in, $10 out latency 500ms median, 2s p95 }}
role r {{ accuracy 95% }}
prompt q(x: text max 10 tokens) \"\"\"hi {{{{ x }}}}\"\"\"
pipeline f(x: text max 10 tokens) -> text {{
  {more}
  step a: text = ask q(x) by t {{
    accuracy {accuracy} timeout 9s retry {retry} output 100 tokens mean, 100 tokens max
  }} else escalate to r
  return a
}}
"""
ADDED = "pipeline g(x: bool) -> bool { return x }\n"


def text(accuracy: str = "90%", retry: int = 0, more: str = "") -> str:
    return PIPE.format(accuracy=accuracy, retry=retry, more=more)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    old, new = tmp_path / "old.pipe", tmp_path / "new.pipe"
    old.write_text(text(), encoding="utf-8")
    new.write_text(text("95%", 1) + ADDED, encoding="utf-8")
    return str(new), str(old)


def test_figures_of_two_files(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    new, old = files
    assert main(["check", new, "--against", old, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    changes = found["pipelines"]["f"]["changes"]
    assert changes["success"]["delta"]["value"] == pytest.approx(0.95 * 0.9975 - 0.9 * 0.95)
    assert changes["cost.mean"]["delta"]["value"] == pytest.approx(0.001 * 0.05)
    assert changes["cost.worst"]["delta"]["value"] == pytest.approx(0.001)
    assert changes["escalation.a"]["delta"]["value"] == pytest.approx(0.0025 - 0.05)
    assert changes["latency.p95"]["delta"]["value"] > 0
    assert "rejection" not in changes
    assert found["pipelines"]["g"]["status"] == "added"


def test_the_comment_for_a_pull_request(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    new, old = files
    assert main(["check", new, "--against", old, "--format", "markdown"]) == 0
    out = capsys.readouterr().out
    assert "| `success` | 85.5% | 94.8% | +9.3 points | better |" in out
    assert "| `cost.worst` | $0.001 | $0.002 | +$0.001 (+100%) | worse |" in out
    assert "**`g`** is not in" in out


def test_intervals_of_what_was_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.pipe", tmp_path / "new.pipe"
    old.write_text(text("90 of 100"), encoding="utf-8")
    new.write_text(text("95 of 100"), encoding="utf-8")
    main(["check", str(new), "--against", str(old), "--format", "json"])
    delta = json.loads(capsys.readouterr().out)["pipelines"]["f"]["changes"]["success"]["delta"]
    assert delta["low"] < 0 < delta["value"] < delta["high"]


def test_a_file_against_itself(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", files[1], "--against", files[1]]) == 0
    assert "no figure differs" in capsys.readouterr().out


def test_findings_that_are_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.pipe", tmp_path / "new.pipe"
    old.write_text("\n\n" + text(), encoding="utf-8")
    new.write_text(text(more="slo { success >= 99% }"), encoding="utf-8")
    assert main(["check", str(new), "--against", str(old)]) == 1
    out = capsys.readouterr().out
    assert "New findings" in out
    assert "P501" in out
    assert "gone" not in out


def test_a_revision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    path = tmp_path / "inside" / "a.pipe"
    path.parent.mkdir()
    (path.parent / "more.pipe").write_text(ADDED, encoding="utf-8")
    path.write_text('use "more.pipe" { g }\n' + text(), encoding="utf-8")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    path.write_text('use "more.pipe" { g }\n' + text("95%"), encoding="utf-8")
    assert main(["check", str(path), "--against", "HEAD", "--format", "json"]) == 0
    changes = json.loads(capsys.readouterr().out)["pipelines"]["f"]["changes"]
    assert changes["success"]["delta"]["value"] == pytest.approx(0.05 * 0.95)
    assert main(["check", str(path), "--against", "--no-such"]) == 2
    assert main(["check", str(path), "--against", "no-such"]) == 2
    assert "neither a file nor a revision" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["check", "{new}", "--against", "nowhere"], "in no git repository"),
        (["check", "{new}", "--against", "{old}", "--format", "sarif"], "no format `sarif`"),
        (["check", "{new}", "--format", "markdown"], "--against"),
        (["check", "{new}", "{old}", "--against", "{old}"], "2 were given"),
        (["check", "nowhere.pipe", "--against", "{old}"], "no file `nowhere.pipe`"),
    ],
)
def test_what_cannot_be_compared(
    line: list[str], words: str, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    new, old = files
    assert main([word.format(new=new, old=old) for word in line]) == 2
    assert words in capsys.readouterr().err


def test_a_broken_version_has_no_figures(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    new, old = files
    Path(old).write_text("pipeline f(", encoding="utf-8")
    assert main(["check", new, "--against", old]) == 2
    assert "has errors, so it has no figures" in capsys.readouterr().err
