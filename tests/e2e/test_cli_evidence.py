"""`pipelang evidence show` as people call it: the real command line, good files and bad ones."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest

from pipelang.diagnostics.columns import cells_of

from .test_cli_check import REPO, err, out, run

GOOD = '{"confidence": 0.9, "correct": true}\n'
SCHEMA = json.loads((REPO / "docs" / "schemas" / "report.schema.json").read_text("utf-8"))
FILES: dict[str, bytes] = {
    "mixed.jsonl": b"".join(
        b'{"confidence": %s, "correct": %s}\n' % (confidence, right)
        for confidence, right, count in [
            (b"0.95", b"true", 60), (b"0.7", b"true", 20), (b"0.4", b"true", 3),
            (b"0.95", b"false", 2), (b"0.7", b"false", 6), (b"0.4", b"false", 9),
        ]
        for _ in range(count)
    ),
    "empty.jsonl": b"",
    "line17.jsonl": (GOOD * 16 + '{"confidence": 0.9 "correct": true}\n').encode(),
    "right.jsonl": (GOOD * 16).encode(),
    "percent.jsonl": b'{"confidence": 93, "correct": true}\n',
    "twice.jsonl": b'{"correct": true, "confidence": 0.9, "correct": false}\n',
    "nan.jsonl": b'{"confidence": NaN, "correct": true}\n',
    "dos.jsonl": b"\xef\xbb\xbf" + (GOOD + '{"confidence": 0.2, "correct": false}\n')
    .replace("\n", "\r\n")
    .encode(),
    "bare.jsonl": b'{"correct": true}\n{"correct": false}\n',
    "latin.jsonl": b'{"correct": true}\n{"correct": true, "who": "Ren\xe9"}\n',
}  # fmt: skip
PIPE = """\
use std.tiers
role desk { }
type Answer { body: text max 20 tokens confidence: probability }
prompt say(q: text max 20 tokens) \"\"\"{{ q }}\"\"\"
pipeline p(q: text max 20 tokens) -> Answer {
  step a: Answer = ask say(q) by haiku { accuracy from "FILE" timeout 9s }
  gate sure: a.confidence >= 95% else escalate to desk
  return a
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "big.jsonl").open("wb") as file:
        file.truncate(100_000_000)
    (tmp_path / "x.pipe").write_text(PIPE, encoding="utf-8")
    return tmp_path


def test_the_text_has_everything_in_a_hundred_columns(folder: Path) -> None:
    done = run(
        "evidence", "show", "mixed.jsonl", "--threshold", "70%", "--threshold", ">0.7", cwd=folder
    )
    assert done.returncode == 0, err(done)
    lines = out(done).splitlines()
    assert all(cells_of(line) <= 100 for line in lines)
    text = "\n".join(lines)
    assert "83 of 100: 83.0%" in text
    assert "0.9–1.0       62" in text
    assert [line.split()[:4] for line in lines if line.startswith(("  >= 0.7", "  >  0.7"))] == [
        [">=", "0.7", "88", "90.9%"],
        [">", "0.7", "62", "96.8%"],
    ]
    assert text.count("●") == 4  # three points, and the legend
    assert "\x1b" not in text


def test_json(folder: Path) -> None:
    done = run(
        "evidence", "show", "mixed.jsonl", "--threshold", "0.7", "--format", "json", cwd=folder
    )
    found = json.loads(out(done))
    (threshold,) = found.pop("thresholds")
    assert (threshold["passed"], threshold["op"]) == (88, ">=")
    assert threshold["catches"]["value"] == 9 / 17
    assert threshold["false_alarms"]["value"] == 3 / 83
    assert (found.pop("version"), found.pop("file")) == (1, "mixed.jsonl")
    gaps = abs(60 - 62 * 0.95) + abs(20 - 26 * 0.7) + abs(3 - 12 * 0.4)
    assert found["ece"] == pytest.approx(gaps / 100, abs=1e-12)
    jsonschema.validate(found, {**SCHEMA["$defs"]["evidence"], "$defs": SCHEMA["$defs"]})


def test_pictures(folder: Path) -> None:
    done = run("evidence", "show", "mixed.jsonl", "--format", "svg", "-o", "c.svg", cwd=folder)
    assert done.returncode == 0, err(done)
    tree = ElementTree.parse(folder / "c.svg")
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(tree.iter(f"{space}circle"))) == 3
    done = run("evidence", "show", "mixed.jsonl", "--format", "png", "-o", "c.png", cwd=folder)
    try:
        import resvg_py  # noqa: F401
    except ImportError:
        assert done.returncode == 2
        assert "rsvg-convert" in err(done)
    else:
        assert (folder / "c.png").read_bytes().startswith(b"\x89PNG")


BAD = [
    ("none.jsonl", 2, "there is no file `none.jsonl`", ""),
    ("mixd.jsonl", 2, "there is no file", "did you mean `mixed.jsonl`?"),
    ("empty.jsonl", 1, "`empty.jsonl`, line 1: there are no rows", "one answer a line"),
    ("line17.jsonl", 1, "`line17.jsonl`, line 17: this is no JSON", "one answer a line"),
    ("percent.jsonl", 1, "line 1: `confidence` must be a number between 0 and 1", "write 0.93"),
    ("twice.jsonl", 1, "`correct` stands twice", "keep one of the two"),
    ("nan.jsonl", 1, "`NaN` is no number of JSON", "leave `confidence` out"),
    ("latin.jsonl", 1, "line 2 has the byte 0xe9", "save it as UTF-8"),
    ("big.jsonl", 1, "it is larger than 64 MB", "a sample is enough"),
]


@pytest.mark.parametrize(("file", "code", "words", "help"), BAD)
def test_bad_files(file: str, code: int, words: str, help: str, folder: Path) -> None:
    shown = run("evidence", "show", file, cwd=folder)
    assert shown.returncode == code
    assert words in err(shown)
    assert help in err(shown)
    assert "Traceback" not in err(shown)
    assert out(shown) == ""


@pytest.mark.parametrize(("file", "code", "words", "help"), BAD)
def test_check_tells_the_line_of_the_pipe_file_too(
    file: str, code: int, words: str, help: str, folder: Path
) -> None:
    (folder / "x.pipe").write_text(PIPE.replace("FILE", file), encoding="utf-8")
    done = run("check", "x.pipe", "--no-cache", cwd=folder)
    text = out(done)
    assert done.returncode == 1
    assert words in text
    assert "x.pipe:6:" in text
    assert help in text or "did you mean" in help


def test_no_row_passes_or_none_is_wrong(folder: Path) -> None:
    (folder / "x.pipe").write_text(PIPE.replace("FILE", "right.jsonl"), encoding="utf-8")
    text = out(run("check", "x.pipe", "--no-cache", cwd=folder))
    assert "P511]: `right.jsonl` has no wrong row among its 16" in text
    assert (
        "P512]: no row of `right.jsonl` passes this test: the highest confidence is 0.9, on" in text
    )
    assert text.count("x.pipe:7:") == 2
    shown = run("evidence", "show", "right.jsonl", cwd=folder)
    assert shown.returncode == 0
    assert "there is no wrong row" in out(shown)


def test_a_threshold_by_case_that_one_case_never_passes(folder: Path) -> None:
    by_case = '(if q == "x" then 99% else 70%)'
    text = PIPE.replace("FILE", "mixed.jsonl").replace("95%", by_case)
    (folder / "x.pipe").write_text(text, encoding="utf-8")
    said = " ".join(out(run("check", "x.pipe", "--no-cache", cwd=folder)).split())
    assert "P512]: no row of `mixed.jsonl` passes this test at 99%: the highest" in said
    assert said.count("P512") == 1


@pytest.mark.parametrize("file", ["dos.jsonl", "bare.jsonl"])
def test_files_that_are_odd_and_right(file: str, folder: Path) -> None:
    done = run("evidence", "show", file, cwd=folder)
    assert done.returncode == 0, err(done)
    assert "1 of 2: 50.0%" in out(done)
    assert ("thresholds cannot be measured" in out(done)) is (file == "bare.jsonl")


@pytest.mark.parametrize("given", ["1.2", "abc", "nan", "-1", "120%"])
def test_a_threshold_that_is_none(given: str, folder: Path) -> None:
    done = run("evidence", "show", "mixed.jsonl", f"--threshold={given}", cwd=folder)
    assert done.returncode == 2
    assert "threshold" in err(done)


def test_a_pipeline_is_no_evidence(folder: Path) -> None:
    done = run("evidence", "show", "x.pipe", cwd=folder)
    assert done.returncode == 2
    assert "is a pipeline, not evidence" in err(done)


def test_the_reader_may_leave(folder: Path) -> None:
    words = [sys.executable, "-m", "pipelang", "evidence", "show", "mixed.jsonl"]
    done = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, env={"PYTHONPATH": str(REPO)}
    )
    assert done.stdout is not None
    done.stdout.close()
    assert done.wait(60) in (0, 141)


# ----------------------------------------------------------------------------------------- fit


def shared(folder: Path, count: int = 3) -> list[str]:
    """Files of answers to the same 900 inputs, of which every third is hard."""
    names = []
    drawn = random.Random(7)
    for at in range(count):
        rows = [
            {"case": case, "correct": drawn.random() < (0.4 if case % 3 == 0 else 0.95)}
            for case in range(900)
        ]
        path = folder / f"{at}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        names.append(path.name)
    return names


def test_a_fit_prints_lines_to_paste(tmp_path: Path) -> None:
    files = shared(tmp_path)
    done = run("evidence", "fit", *files, cwd=tmp_path)
    assert done.returncode == 0, err(done)
    text = out(done)
    assert "3 files share 900 cases" in text
    assert "expected by chance" in text
    assert "correlation" in text
    lines = [line.strip().partition(" #")[0].strip() for line in text.splitlines()]
    (traffic,) = [line for line in lines if line.startswith("traffic {")]
    rates = [line for line in lines if line.startswith("accuracy ")]
    assert len(rates) == 3
    steps = "".join(
        f"  step s{at}: text max 9 tokens = ask say(q) by haiku {{ {rate} }}\n"
        for at, rate in enumerate(rates)
    )
    pipe = tmp_path / "p.pipe"
    pipe.write_text(
        'use std.tiers\nprompt say(q: text max 9 tokens) """{{ q }}"""\n'
        "pipeline p(q: text max 9 tokens) -> text max 9 tokens {\n"
        f"  {traffic}\n{steps}  return s2\n}}\n",
        encoding="utf-8",
    )
    assert run("check", "p.pipe", cwd=tmp_path).returncode == 0
    as_json = json.loads(out(run("evidence", "fit", *files, "--format", "json", cwd=tmp_path)))
    assert [one["file"] for one in as_json["files"]] == files
    assert as_json["cases"] == 900


def test_two_files_and_a_share_say_what_they_leave_open(tmp_path: Path) -> None:
    files = shared(tmp_path, 2)
    text = out(run("evidence", "fit", *files, "--hard", "33%", cwd=tmp_path))
    assert "by the same factor in both" in text
    assert "traffic { hard: 33% }" in text
    exactly = out(run("evidence", "fit", *files, "--hard", "33.3333%", cwd=tmp_path))
    assert "traffic { hard: 33.3333% }" in exactly  # the rates are those of this share
    found = json.loads(
        out(run("evidence", "fit", *files, "--hard", "33%", "--format", "json", cwd=tmp_path))
    )
    for one, rates in zip(found["open"], found["files"], strict=True):
        for kind in ("easy", "hard"):
            assert one[kind][0] <= rates[kind]["share"] <= one[kind][1]


@pytest.mark.parametrize(
    ("given", "code", "why"),
    [
        (["0.jsonl", "1.jsonl"], 1, "three files"),
        (["0.jsonl", "1.jsonl", "--hard", "2%"], 1, "cannot be wrong together so often"),
        (["0.jsonl", "other.jsonl", "--hard", "20%"], 1, "(its first is `0`, on line 1)"),
        (["0.jsonl", "1.jsonl", "gated.jsonl"], 1, "`gated.jsonl`, line 1, was taken behind `g`"),
        (["0.jsonl", "1.jsonl", "2.jsonl", "--hard", "120%"], 2, "lies between 0 and 1"),
        (["0.jsonl", "1.jsonl", "2.jsonl", "--hard", "some"], 2, "is no share"),
        (["0.jsonl", "1.jsonl", "9.jsonl"], 2, "there is no file"),
        (["0.jsonl", "1.jsonl", "twice.jsonl"], 1, "`twice.jsonl`, line 2: attempt 1 at case `3`"),
        (["0.jsonl", "1.jsonl", "bare.jsonl"], 1, "`bare.jsonl`, line 1: no row says which case"),
        ([], 2, "FILE"),
    ],
)
def test_no_fit_is_told_with_its_place(
    given: list[str], code: int, why: str, tmp_path: Path
) -> None:
    shared(tmp_path)
    twice = '{"case": 3, "correct": true}\n{"case": "3", "correct": false}\n'
    (tmp_path / "twice.jsonl").write_text(twice, encoding="utf-8")
    (tmp_path / "bare.jsonl").write_text(GOOD * 20, encoding="utf-8")
    other = '{"case": "x", "correct": true}\n'
    (tmp_path / "other.jsonl").write_text(other, encoding="utf-8")
    gated = '{"sampled": "g"}\n' + (tmp_path / "2.jsonl").read_text("utf-8")
    (tmp_path / "gated.jsonl").write_text(gated, encoding="utf-8")
    done = run("evidence", "fit", *given, cwd=tmp_path)
    assert (done.returncode, out(done)) == (code, "")
    assert why in err(done)
    assert "Traceback" not in err(done)
