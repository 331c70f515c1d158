"""Lines of traces and of the audit log that were edited, or are another program's: no reader breaks
by one, and it is told. What runs write fits, whatever they do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelang.interfaces.cli.commands import group
from pipelang.interfaces.runs.trace_files import read

from ..edited_json import DELETED, paths, with_value

PIPE = '''\
provider lab { kind simulated available 100% }
tier small {
  provider lab model "m" price $1 in, $5 out latency 1s median transient 30% context 100k tokens
}
role people { people 2 handles 2m }
enum Level { high low }
type Answer { body: text max 20 tokens  confidence: Level }
type Choice { value: text max 20 tokens  confidence: probability }
prompt say(q: text) """Say it: {{ q }}"""
pipeline main(q: text max 20 tokens) -> text max 20 tokens {
  budget $1 else fail "spent"
  step a: Answer = ask say(q) by small { accuracy 90% retry 2 timeout 9s } else reject
  step c: Choice = ask say(q) by small { accuracy 90% retry 3 timeout 9s } else reject
  step many: [Choice] max 3 = each one in [q, q] {
    ask say(one) by small { accuracy 90% retry 3 timeout 9s }
  } else reject
  gate sure: a.confidence == low else redo a up to 1 else escalate to people "unsure"
  return c.value
}
'''
VALUES: list[Any] = [
    *(DELETED, None, True, 0, -1, 0.5, 1e308, 10**400, float("nan"), "", "x"),
    *([], [1], [None], {}, {"a": 1}),
]
READERS = [
    ("trace", "last"),
    ("trace", "last", "--format", "json"),
    ("trace",),
    ("observe", "p.pipe", "main"),
    ("watch", "p.pipe", "main"),
]
AUDIT = [("audit", "show"), ("audit", "verify"), ("audit", "show", "--format", "json")]


def call(*words: str) -> Result:
    return CliRunner().invoke(group, words)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("p.pipe").write_text(PIPE, encoding="utf-8")
        done = call(
            *("run", "p.pipe", "main", "--input", '{"q": "x"}', "--provider", "simulated"),
            *("--seed", "5", "--people", "nobody"),
        )
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        yield folder / ".pipelang"


def test_a_gate_may_hang_on_a_confidence_that_is_no_number(state: Path) -> None:
    done = call("trace", "last")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "(confidence low)" in done.output
    (file,) = (state / "traces").iterdir()
    assert read(file).torn == ()


def edits(lines: list[str]) -> Iterator[tuple[int, tuple[Any, ...], Any]]:
    """Each key of each kind of line, with each value: lines of one kind are alike."""
    known = set()
    for number, line in enumerate(lines):
        record = json.loads(line)
        for path in paths(record):
            one = (record.get("kind"), tuple(sorted(record.get("data") or ())), path)
            if one not in known:
                known.add(one)
                yield from ((number, path, value) for value in VALUES)


@pytest.mark.parametrize("what", ["traces", "audit"])
def test_a_line_that_is_none_of_ours_breaks_no_reader(what: str, state: Path) -> None:
    file = next((state / "traces").iterdir()) if what == "traces" else state / "audit.jsonl"
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    told = 0
    for turn, (number, path, value) in enumerate(edits(lines)):
        if not path and value == DELETED:
            continue
        new = json.dumps(with_value(json.loads(lines[number]), path, value))
        file.write_text("\n".join([*lines[:number], new, *lines[number + 1 :], ""]))
        # Each line by the reader that shows all, and some by the others, which take longer.
        first, *others = READERS if what == "traces" else AUDIT
        some = [others[turn // 17 % len(others)]] if turn % 17 == 0 else []
        for words in (first, *some):
            done = call(*words)
            assert done.exit_code in (0, 1), (number, path, value, words, done.exception)
            assert done.exception is None or type(done.exception) is SystemExit
            told += "cannot be read" in done.stderr
    file.write_text(text, encoding="utf-8")
    assert told > 100
