"""`pipelang evidence stamp`: the origin of a file is written, and `check` holds steps to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .test_cli_check import err, out, run

PIPE = """\
provider lab { available 100% }
tier small {
  provider lab model "small-20260801" price $1 in, $5 out transient 1% context 100k tokens
}
tier large {
  provider lab model "large" price $1 in, $5 out transient 1% context 100k tokens
}
role desk { }
type Answer { body: text max 20 tokens confidence: probability }
prompt say(q: text) \"\"\"Say it: {{ q }}\"\"\"
pipeline p(q: text max 20 tokens) -> Answer {
  step a: Answer = ask say(q) by small { accuracy from "evals/a.jsonl" timeout 9s } else reject
  gate sure: a.confidence >= 80% else escalate to desk
  step b: Answer = ask say(a.body) by large { accuracy from "evals/b.jsonl" timeout 9s }
    else reject
  step c: Answer = ask say(a.body) by small { accuracy from "evals/two.jsonl" timeout 9s }
    else reject
  step d: Answer = ask say(a.body) by large { accuracy from "evals/two.jsonl" timeout 9s }
    else reject
  return b
}
"""
ROWS = '{"confidence": 0.9, "correct": true}\n{"confidence": 0.5, "correct": false}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evals").mkdir()
    (tmp_path / "main.pipe").write_text(PIPE)
    for name in ("a", "b", "two", "nobody"):
        (tmp_path / "evals" / f"{name}.jsonl").write_text(ROWS)
    return tmp_path


def header(folder: Path, name: str) -> dict[str, str]:
    found = json.loads((folder / "evals" / f"{name}.jsonl").read_text().split("\n")[0])
    assert isinstance(found, dict)
    return found


def codes(folder: Path) -> set[str]:
    report = json.loads(out(run("check", "main.pipe", "--format", "json", cwd=folder)))
    return {one["code"] for one in report["diagnostics"]} & {"P530", "P531", "P532", "P533"}


def test_the_first_row_says_where_the_others_come_from(folder: Path) -> None:
    said = out(run("evidence", "stamp", "evals/a.jsonl", "a", cwd=folder))
    made = header(folder, "a")
    assert list(made) == ["prompt", "model", "as_of", "sampled"]
    assert (made["model"], made["sampled"]) == ("small-20260801", "all")
    assert made["prompt"] in said
    assert (folder / "evals" / "a.jsonl").read_text().split("\n", 1)[1] == ROWS
    assert not codes(folder)


def test_a_step_behind_a_gate_is_sampled_behind_it(folder: Path) -> None:
    said = out(run("evidence", "stamp", "evals/b.jsonl", "p.b", cwd=folder))
    assert header(folder, "b")["sampled"] == "sure"
    assert "--sampled all" in said
    run("evidence", "stamp", "evals/b.jsonl", "b", "--sampled", "all", cwd=folder)
    assert header(folder, "b")["sampled"] == "all"
    assert (folder / "evals" / "b.jsonl").read_text().count("\n") == 3


def test_two_gates_over_one_answer_are_evidence_of_it_where_it_is_given(folder: Path) -> None:
    text = PIPE.replace('accuracy from "evals/b.jsonl"', "accuracy 90%")
    gates = "".join(
        f'  gate {name}: b.confidence >= {least} {{ evidence from "evals/b.jsonl" }} else reject\n'
        for name, least in (("usable", "60%"), ("ready", "80%"))
    )
    (folder / "main.pipe").write_text(text.replace("  step c", f"{gates}  step c"))
    run("evidence", "stamp", "evals/b.jsonl", cwd=folder)
    made = header(folder, "b")
    assert (made["model"], made["sampled"]) == ("large", "sure")
    assert not codes(folder)


def test_a_changed_prompt_type_or_model_is_told(folder: Path) -> None:
    for name in ("a", "b"):
        run("evidence", "stamp", f"evals/{name}.jsonl", cwd=folder)
    changes = {
        "Say it: ": ("Repeat it: ", {"P530"}),
        "body: text max 20 tokens": ("body: text max 30 tokens", {"P530"}),
        "small-20260801": ("small-20261001", {"P531"}),
        "  gate sure: a.confidence >= 80% else escalate to desk\n": ("", {"P533"}),
    }
    for old, (new, expected) in changes.items():
        (folder / "main.pipe").write_text(PIPE.replace(old, new))
        assert codes(folder) == expected, old


@pytest.mark.parametrize("place", ["accuracy", "tier", "gate"])
def test_who_says_a_shift_is_not_told_to_say_another(folder: Path, place: str) -> None:
    text, shifted = PIPE, 'from "evals/a.jsonl" shift 12.5%'
    if place == "gate":
        text = text.replace('accuracy from "evals/a.jsonl"', "accuracy 90%")
        text = text.replace("80% else", '80% { evidence from "evals/a.jsonl" shift 12.5% } else')
    elif place == "tier":
        text = text.replace('accuracy from "evals/a.jsonl"', f"accuracy small {shifted}")
    else:
        text = text.replace('from "evals/a.jsonl"', shifted)
    (folder / "main.pipe").write_text(text)
    origin = '{"prompt": "0123456789abcdef", "model": "other"}\n'
    (folder / "evals" / "a.jsonl").write_text(origin + ROWS)
    report = json.loads(out(run("check", "main.pipe", "--format", "json", cwd=folder)))
    helps = [one["help"] for one in report["diagnostics"] if one["code"] in ("P530", "P531")]
    assert len(helps) == 2
    assert all("`shift 12.5%` has to be" in one and "shift 3%" not in one for one in helps)


def test_a_layout_is_no_change(folder: Path) -> None:
    run("evidence", "stamp", "main.pipe", "a", cwd=folder)
    spread = PIPE.replace("Say it: {{ q }}", "\n    Say it: {{ q }}\n  ")
    (folder / "main.pipe").write_text("# a comment\n" + spread)
    assert not codes(folder)


def test_crlf_and_bom_stay(folder: Path) -> None:
    path = folder / "evals" / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n").encode())
    run("evidence", "stamp", "evals/a.jsonl", cwd=folder)
    data = path.read_bytes()
    assert data.startswith(b'\xef\xbb\xbf{"prompt"')
    assert data.count(b"\r\n") == data.count(b"\n") == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["evals/two.jsonl"], 1, "p.c, p.d"),
        (["evals/nobody.jsonl"], 2, "no pipeline names"),
        (["evals/a.jsonl", "b"], 2, "as evidence of `b`"),
        (["evals/gone.jsonl"], 2, "there is no file"),
        (["evals/a.jsonl", "--as-of", "yesterday"], 2, "no day"),
        (["evals/a.jsonl", "--as-of", "2026-1-5"], 2, "no day"),
        (["evals/b.jsonl", "--sampled", "nowhere"], 2, "sure"),
        (["evals/b.jsonl", "--sampled", "b"], 2, "there is no gate `b`"),
        (["evals/b.jsonl", "--pipe", "gone.pipe"], 2, "gone.pipe"),
    ],
)
def test_what_cannot_be_stamped(folder: Path, words: list[str], code: int, said: str) -> None:
    found = run("evidence", "stamp", *words, cwd=folder)
    assert found.returncode == code
    assert said in err(found)
    assert (folder / "evals" / "two.jsonl").read_text() == ROWS


def test_rows_that_say_it_themselves_are_not_overruled(folder: Path) -> None:
    path = folder / "evals" / "a.jsonl"
    path.write_text(ROWS + '{"confidence": 0.5, "correct": false, "model": "other"}\n')
    found = run("evidence", "stamp", "evals/a.jsonl", cwd=folder)
    assert found.returncode == 1
    assert "line 3" in err(found)


def test_the_file_of_a_step_by_its_pipeline(folder: Path) -> None:
    (folder / "main.pipe").write_text(PIPE.replace('"evals/two.jsonl"', '"evals/a.jsonl"'))
    found = run("evidence", "stamp", "main.pipe", "b", cwd=folder)
    assert found.returncode == 0
    assert header(folder, "b")["model"] == "large"
    assert (folder / "evals" / "a.jsonl").read_text() == ROWS
    none = run("evidence", "stamp", "main.pipe", "nobody", cwd=folder)
    assert none.returncode == 2
    assert "for `nobody`" in err(none)


def test_a_day_to_come_is_refused(folder: Path) -> None:
    done = run("evidence", "stamp", "evals/a.jsonl", "--as-of", "2062-01-01", cwd=folder)
    assert done.returncode == 2
    assert b"`2062-01-01` is still to come" in done.stderr
    assert (folder / "evals" / "a.jsonl").read_text() == ROWS
