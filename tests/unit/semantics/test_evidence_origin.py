"""The origin of evidence: a first row speaks for all, a row for itself; the hash of a prompt."""

from __future__ import annotations

import pytest

from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_file import Flaw, read_evidence
from pipelang.semantics.evidence_origin import prompt_hash

from ...memory import MemoryLoader

HEAD = '{"model": "m", "sampled": "all"}'


def origins(text: str) -> list[tuple[object, ...]]:
    found = read_evidence("x", text)
    assert isinstance(found, EvidenceFile), found
    return [
        (one.prompt, one.model, one.as_of, one.sampled, one.line, one.count)
        for one in found.origins
    ]


def test_a_first_row_speaks_for_all_that_say_nothing() -> None:
    text = f'\n{HEAD}\n{{"correct": true}}\n{{"correct": false, "model": "other"}}\n'
    assert origins(text + '{"correct": true}\n') == [
        (None, "m", None, "all", 2, 2),
        (None, "other", None, "all", 4, 1),
    ]


def test_it_is_no_answer() -> None:
    found = read_evidence("x", f'{HEAD}\n{{"correct": true}}\n')
    assert isinstance(found, EvidenceFile)
    assert [row.line for row in found.rows] == [2]


def test_rows_without_any_have_none() -> None:
    assert origins('{"correct": true, "who": "ann"}\n') == []


def test_a_gate_counts_wherever_a_row_names_one() -> None:
    text = '{"correct": true, "sampled": "all"}\n{"correct": true, "sampled": "sure"}\n'
    found = read_evidence("x", text)
    assert isinstance(found, EvidenceFile)
    assert found.sampled == "sure"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (HEAD, 1, "no rows"),
        (f'{HEAD}\n{HEAD}\n{{"correct": true}}', 2, "needs `correct`"),
        ('{"correct": true, "as_of": "2026-02-30"}', 1, "`as_of` is a day"),
        ('{"correct": true, "as_of": "2026-1-5"}', 1, "`as_of` is a day"),
        ('{"correct": true, "as_of": "２０２６-01-05"}', 1, "`as_of` is a day"),
        ('{"correct": true, "as_of": 20261129}', 1, "`as_of` must be a text"),
        ('{"prompt": "", "correct": true}', 1, "`prompt` must be a text"),
        ('{"who": "ann"}\n{"correct": true}', 1, "needs `correct`"),
    ],
)
def test_what_is_no_origin(text: str, line: int, why: str) -> None:
    flaw = read_evidence("x", text)
    assert isinstance(flaw, Flaw)
    assert flaw.line == line
    assert why in flaw.why


PIPE = '''
provider lab { available 100% }
tier small { provider lab price $1 in, $5 out transient 0% context 100k tokens }
enum Kind { order complaint }
## A guess.
type Guess { kind: Kind note: text max 20 tokens confidence: probability }
prompt sort(mail: text max 50 tokens, left: [number] max 3)
  """
  What is it? {{ mail }}
  """
pipeline p(mail: text max 50 tokens) -> Guess {
  step a: Guess = ask sort(mail, [1, 2]) by small { accuracy 90% timeout 9s }
  return a
}
'''


def hash_of(text: str) -> str:
    built = build("x.pipe", MemoryLoader({"x.pipe": text}))
    assert built.program is not None, [one.message for one in built.diagnostics]
    (step,) = [one for one in built.program.pipelines["p"].block.items if isinstance(one, p.Step)]
    action = step.chain.links[0].action
    assert isinstance(action, p.AskTier)
    return prompt_hash(built.program, action.prompt, action.answers)


def test_a_hash_is_the_same_in_every_version() -> None:
    """Files are stamped with it: another one would tell every file as that of another prompt."""
    assert hash_of(PIPE) == "8fd1b882596d2a66"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What is it?", "What is that?"),
        ("enum Kind { order complaint }", "enum Kind { order complaint other }"),
        ("note: text max 20 tokens", "note: text max 30 tokens"),
        ("note: text", "remark: text"),
        ("## A guess.", "## A good guess."),
        ("mail: text max 50 tokens, left", "mail: text max 60 tokens, left"),
        ("[number] max 3", "[number] max 4"),
    ],
)
def test_what_a_model_is_asked_is_in_it(old: str, new: str) -> None:
    assert hash_of(PIPE.replace(old, new, 1)) != hash_of(PIPE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  What is it? {{ mail }}\n", "      What is it? {{ mail }}\n"),
        ("accuracy 90% timeout 9s", "accuracy 80% timeout 5s"),
        ("provider lab price $1 in", "provider lab price $2 in"),
        ("type Guess {", "type Guess {\n  # a comment\n "),
    ],
)
def test_what_it_is_not_asked_is_not(old: str, new: str) -> None:
    assert hash_of(PIPE.replace(old, new, 1)) == hash_of(PIPE)
