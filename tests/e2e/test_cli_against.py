"""`pipelang check --against` as people and CI call it, over a repository made for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelang.diagnostics.columns import cells_of

from .test_cli_check import REPO, err, out, run

SCHEMA = json.loads((REPO / "docs" / "schemas" / "report.schema.json").read_text("utf-8"))
PIPE = """\
use "shared.pipe"

## Answers a question.
pipeline faq(question: text max 50 tokens) -> Answer {
  slo { success >= 80% }

  step reply: Answer = ask answer(question) by small {
    accuracy from "evals/reply.jsonl"
    timeout  10s
  } else fail "no answer"

  gate sure: reply.confidence >= 70% else escalate to desk

  return reply
}

pipeline other(question: text max 50 tokens) -> text max 50 tokens {
  step words: text max 50 tokens = ask echo(question) by small { accuracy 45 of 50 timeout 9s }
    else fail "no words"
  return words
}
"""
SHARED = """\
provider here { kind simulated available 99.9% }
tier small { provider here model "x" price $1 in, $5 out transient 1% context 50k tokens }
role desk { }
type Answer { body: text max 50 tokens confidence: probability }
prompt answer(question: text max 50 tokens) from "answer.md"
prompt echo(question: text max 50 tokens) \"\"\"Say {{ question }}\"\"\"
"""
ROWS = [(0.95, "true", 90), (0.75, "true", 20), (0.75, "false", 6), (0.4, "false", 4)]


def rows(parts: list[tuple[float, str, int]]) -> str:
    lines = (
        f'{{"confidence": {c}, "correct": {right}}}\n' for c, right, n in parts for _ in range(n)
    )
    return "".join(lines)


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    write(
        folder,
        faq_dot_pipe=PIPE,
        shared_dot_pipe=SHARED,
        answer_dot_md="Answer: {{ question }}",
        evals__reply_dot_jsonl=rows(ROWS),
    )
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    return folder


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def report(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    done = run("check", *words, "--format", "json", cwd=folder)
    assert done.returncode == code, err(done)
    found: dict[str, Any] = json.loads(out(done))
    jsonschema.validate(found, SCHEMA)
    return found


def test_nothing_changed(repo: Path) -> None:
    edit(repo, "faq.pipe", "## Answers a question.\n", "\n\n## Answers a question.\n")
    done = run("check", "faq.pipe", "--against", "HEAD", cwd=repo)
    assert done.returncode == 0, err(done)
    assert out(done).count("no figure changes") == 2
    found = report(repo, "faq.pipe", "--against", "main")["against"]
    assert found["commit"] == git(repo, "rev-parse", "HEAD")
    assert found["diagnostics"] == {"new": [], "mended": []}
    for pipeline in found["pipelines"].values():
        assert pipeline["change"] == "kept"
        assert {one["direction"] for one in pipeline["metrics"].values()} == {"same"}


def test_a_threshold(repo: Path) -> None:
    edit(repo, "faq.pipe", ">= 70%", ">= 90%")
    found = report(repo, "faq.pipe", "--against", "HEAD", code=1)
    faq = found["against"]["pipelines"]["faq"]
    success, silent = faq["metrics"]["success"], faq["metrics"]["silent_error"]
    assert (success["direction"], silent["direction"]) == ("down", "down")
    assert success["how"] == silent["how"] == "paired"
    answers = 0.999 * 0.99
    assert success["change"]["value"] == pytest.approx(-answers * 20 / 120, abs=1e-9)
    assert silent["change"]["value"] == pytest.approx(-answers * 6 / 120, abs=1e-9)
    assert success["change"]["low"] < success["change"]["value"] < success["change"]["high"]
    assert faq["escalations"]["sure"]["direction"] == "up"
    (promise,) = faq["slo"]
    assert (promise["before"]["holds"], promise["after"]["holds"]) == (True, False)
    (new,) = found["against"]["diagnostics"]["new"]
    assert (new["code"], new["file"], new["line"]) == ("P501", "faq.pipe", 5)
    # The report of what is stands beside it, as without --against.
    plain = report(repo, "faq.pipe", code=1)
    assert {**found, "against": None} == {**plain, "against": None}


def test_the_text_in_a_hundred_columns(repo: Path) -> None:
    edit(repo, "faq.pipe", ">= 70%", ">= 90%")
    done = run("check", "--against", "HEAD", cwd=repo)
    text = out(done)
    assert done.returncode == 1
    assert all(cells_of(line) <= 100 for line in text.splitlines())
    assert re.search(r"success +90\.7% +→ +74\.2% +−16\.5 points +−.* to −.* +worse", text)
    assert re.search(r"silent_error .* better\n", text)
    assert re.search(r"    sure .* more\n", text)
    assert re.search(r"success >= 80% +met \(P .*\) +→ +missed", text)
    assert "error[P501]" in text
    assert "1 new finding, 0 mended ones" in text
    assert "\x1b" not in text


def test_the_markdown(repo: Path) -> None:
    edit(repo, "faq.pipe", ">= 70%", ">= 90%")
    text = out(run("check", "--against", "HEAD", "--format", "markdown", cwd=repo))
    assert text.startswith("<!-- pipelang check --against -->\n\n### pipelang")
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert "| `success` | 90.7% | 74.2% | **−16.5 points**" in text
    assert "🔴 worse" in text
    assert "- error P501 `faq.pipe` line 5: " in text


def test_evidence_prompts_and_imports_are_those_of_the_revision(repo: Path) -> None:
    write(repo, evals__reply_dot_jsonl=rows([*ROWS, (0.95, "true", 400)]))
    edit(repo, "shared.pipe", "$5 out", "$50 out")
    write(repo, answer_dot_md="Answer at length, politely: {{ question }}")
    found = report(repo, "faq.pipe", "--against", "HEAD")["against"]["pipelines"]
    metrics = found["faq"]["metrics"]
    assert metrics["success"]["how"] == "independent"
    assert metrics["success"]["before"]["value"] == pytest.approx(0.999 * 0.99 * 110 / 120)
    assert metrics["success"]["after"]["value"] == pytest.approx(0.999 * 0.99 * 510 / 520)
    assert metrics["cost.mean"]["direction"] == "up"
    assert metrics["tokens.worst"]["change"]["value"] > 0
    assert found["other"]["metrics"]["success"]["direction"] == "same"
    assert found["other"]["metrics"]["cost.mean"]["direction"] == "up"
    text = out(run("check", "faq.pipe", "--against", "HEAD", cwd=repo))
    assert all(cells_of(line) <= 100 for line in text.splitlines())


def test_pipelines_that_come_go_and_are_renamed(repo: Path) -> None:
    text = (repo / "faq.pipe").read_text("utf-8")
    head, _, tail = text.partition("pipeline other")
    write(repo, faq_dot_pipe=head.replace("pipeline faq", "pipeline answers"))
    third = 'use "shared.pipe"\npipeline third' + tail.replace("words", "said")
    write(repo, third_dot_pipe=third)
    found = report(repo, "--against", "HEAD")["against"]["pipelines"]
    assert {key: (one["change"], one["was"]) for key, one in found.items()} == {
        "answers": ("renamed", "faq"),
        "third": ("added", None),
        "other": ("removed", None),
    }
    assert found["answers"]["metrics"]["success"]["direction"] == "same"
    text = out(run("check", "--against", "HEAD", cwd=repo))
    assert "renamed from `faq`" in text
    assert "\nadded\n" in text
    assert "\nremoved\n" in text


def test_two_files(repo: Path) -> None:
    text = PIPE.replace("pipeline faq", "pipeline better").replace("45 of 50", "49 of 50")
    write(repo, mended_dot_pipe=text.replace("pipeline other", "pipeline second"))
    found = report(repo, "mended.pipe", "--against", "faq.pipe")["against"]
    assert found["commit"] is None
    assert found["pipelines"]["better"]["was"] == "faq"
    second = found["pipelines"]["second"]["metrics"]["success"]
    assert (second["how"], second["change"]["value"]) == ("independent", pytest.approx(0.0791208))


def test_findings_are_mended(repo: Path) -> None:
    edit(repo, "faq.pipe", "pipeline other", "enum Never { a b }\n\npipeline other")
    git(repo, "commit", "-qam", "two")
    edit(repo, "faq.pipe", "enum Never { a b }\n\n", "")
    found = report(repo, "faq.pipe", "--against", "HEAD")["against"]["diagnostics"]
    assert found["new"] == []
    assert [one["code"] for one in found["mended"]] == ["P204"]


def test_a_file_with_errors_on_either_side(repo: Path) -> None:
    edit(repo, "faq.pipe", "return reply", "retrun reply")
    found = report(repo, "faq.pipe", "--against", "HEAD", code=1)["against"]
    assert found["broken"] == ["faq.pipe"]
    assert found["pipelines"] == {}
    assert "error" in {one["severity"] for one in found["diagnostics"]["new"]}
    git(repo, "commit", "-qam", "broken")
    edit(repo, "faq.pipe", "retrun reply", "return reply")
    done = run("check", "faq.pipe", "--against", "HEAD", cwd=repo)
    assert done.returncode == 0
    assert "nothing can be said of the pipelines in faq.pipe in HEAD" in out(done)
    # Nor that they are new.
    assert report(repo, "faq.pipe", "--against", "HEAD")["against"]["pipelines"] == {}
    write(repo, broken_dot_pipe="pipeline faq(")
    found = report(repo, "faq.pipe", "--against", "broken.pipe")["against"]
    assert (found["broken"], found["pipelines"]) == (["broken.pipe"], {})


def test_from_a_folder_inside_and_from_outside(repo: Path) -> None:
    edit(repo, "faq.pipe", ">= 70%", ">= 90%")
    inside = report(repo / "evals", "../faq.pipe", "--against", "HEAD", code=1)["against"]
    outside = report(repo.parent, "repo/faq.pipe", "--against", "HEAD", code=1)["against"]
    for found in (inside, outside):
        assert found["pipelines"]["faq"]["metrics"]["success"]["direction"] == "down"


@pytest.mark.parametrize(
    ("words", "said", "help"),
    [
        (["--against", "mian"], "there is no revision `mian`", "did you mean `main`?"),
        (["--against", "v9"], "there is no revision `v9` in", "fetch it first"),
        (["--against=--output=x"], "`--output=x` is no revision", "name a branch"),
        (["new.pipe", "--against", "HEAD"], "`new.pipe` is not in `HEAD`", "--against FILE"),
        (["gone.pipe", "--against", "HEAD"], "is not in `HEAD`", "--against FILE"),
        (["../lone.pipe", "--against", "HEAD"], "is in no git repository", "with a file"),
        (["../lone.pipe", "--against", "no.pipe"], "`no.pipe` is no file", "with a file"),
        (["--against", "no.pipe"], "there is no file `no.pipe`, and no revision", ""),
        (["faq.pipe", "../lone.pipe", "--against", "HEAD"], "outside the repository", "--against"),
        (["--against", "HEAD", "--format", "sarif"], "does not go with --format sarif", "markdown"),
        (["--against", "HEAD", "--import-tools"], "does not go with --import-tools", "tools"),
        (["--format", "markdown"], "goes with --against", ""),
    ],
)
def test_mistakes(words: list[str], said: str, help: str, repo: Path) -> None:
    write(repo, new_dot_pipe=PIPE)
    (repo.parent / "lone.pipe").write_text(PIPE, encoding="utf-8")
    done = run("check", *words, cwd=repo, GIT_CEILING_DIRECTORIES=str(repo.parent))
    assert done.returncode == 2, out(done)
    assert said in err(done)
    assert help in err(done)
    assert out(done) == ""
    assert "Traceback" not in err(done)


def test_in_a_hook(repo: Path) -> None:
    edit(repo, "faq.pipe", ">= 70%", ">= 90%")
    places = {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": "evals/"}
    done = run("check", "../faq.pipe", "--against", "HEAD", cwd=repo / "evals", **places)
    assert done.returncode == 1, err(done)
    assert "worse" in out(done)


def test_without_git(repo: Path) -> None:
    done = run("check", "faq.pipe", "--against", "HEAD", cwd=repo, PATH=os.devnull)
    assert done.returncode == 2
    assert "git is not installed" in err(done)
