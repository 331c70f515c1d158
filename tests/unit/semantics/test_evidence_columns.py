"""Evidence in columns: what an expression for a shape reads is what JSON says; growth is linear."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from pipelang.semantics import evidence_file
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_file import Flaw, read_evidence
from tests.work import calls

CONFIDENCES = ("0.9", "0.90", "1", "0", "1.0", "0.5", "9e-1", "null", "0.12345678901234567890")
BROKEN = ("93", "-0.1", '"0.9"', "NaN", "01", "1.5", ".5", "0.")


def row(draw: random.Random, broken: float) -> str:
    """A line of an evidence file; now and then one that is wrong."""
    wrong = draw.random() < broken
    parts: dict[str, str] = {}
    if draw.random() < 0.8:
        parts["confidence"] = draw.choice(BROKEN if wrong else CONFIDENCES)
    parts["correct"] = draw.choice(["true", "false"] if draw.random() > broken else ["1", '"true"'])
    if draw.random() < 0.7:
        cases = ['"a%d"', "%d", '"with \\"quotes\\" %d"', '"\\u00e9%d"', '"é %d"']
        parts["case"] = draw.choice(cases) % draw.randrange(30 if wrong else 10**9)
        if draw.random() < 0.4:
            parts["attempt"] = draw.choice(
                ["1", "2", "3", "0", "1.0", "2.5"] if wrong else ["2", "1"]
            )
    if draw.random() < 0.2:
        parts["sampled"] = draw.choice(['"all"', '"sure"', "null"])
    if draw.random() < 0.2:
        kinds = ['"guess"', "1"] if wrong else ['"probabilities"', '"word"', "null"]
        parts["confidence_from"] = draw.choice(kinds)
    if draw.random() < 0.3:
        parts["model"] = draw.choice(["17", '["x"]', '""'] if wrong else ['"m"', "null", '"\\n"'])
    if draw.random() < 0.2:
        parts["as_of"] = draw.choice(
            ['"today"', "2026"] if wrong else ['"2026-11-02"', '"2026-11-03"']
        )
    if draw.random() < 0.1:
        parts["prompt"] = draw.choice(['"5f0c"', "null"])
    if draw.random() < 0.3:
        parts["by"] = draw.choice(['"m"', "17", "null", "1.5e3", '["x"]', '"\\n"'])
    keys = sorted(parts) if draw.random() < 0.7 else draw.sample(sorted(parts), len(parts))
    gap = draw.choice(["", " ", "\t"])
    inside = f",{gap}".join(f'"{key}":{gap}{parts[key]}' for key in keys)
    return f"{gap}{{{inside}}}{gap}{draw.choice(['', '', chr(13)])}"


def by_json(text: str, patch: pytest.MonkeyPatch) -> EvidenceFile | Flaw:
    """The same file with no shape learned."""
    evidence_file._READ.clear()
    with patch.context() as without:
        without.setattr(evidence_file, "MOST_SHAPES", 0)
        found = read_evidence("x", text)
    evidence_file._READ.clear()
    return found


@pytest.mark.parametrize("seed", range(300))
def test_a_shape_reads_what_json_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    broken = draw.choice([0.0, 0.0, 0.02])
    lines = [row(draw, broken) for _ in range(draw.randrange(1, 60))]
    lines += [line for line in lines if draw.random() < 0.01]
    if draw.random() < 0.2:
        lines.insert(0, '{"model": "m", "sampled": "all"}')
    text = "\n".join(lines) + draw.choice(["", "\n", "\n\n"])
    plain = by_json(text, monkeypatch)
    found = read_evidence("x", text)
    assert found == plain
    if isinstance(found, EvidenceFile) and isinstance(plain, EvidenceFile):
        assert [*map(repr, found.rows)] == [*map(repr, plain.rows)]
        assert found.sources == {one.source for one in plain.rows} - {None}
        assert found.right == sum(one.correct for one in plain.rows)
        ungraded = [one.line for one in plain.rows if one.confidence is None]
        assert found.columns.ungraded == (ungraded[0] if ungraded else None)
        for right in (True, False):
            sure = [one.confidence for one in plain.rows if one.correct is right]
            graded = sorted(one for one in sure if one is not None)
            often = found.columns.often(right)
            assert [level for level, count in often for _ in range(count)] == graded


def regular(kind: str) -> Callable[[int], str]:
    """A file of so many rows that look alike."""

    def made(size: int) -> str:
        return "".join(
            json.dumps(
                {
                    **({"case": f"t{at}", "attempt": 1 + at % 2} if kind == "cases" else {}),
                    "confidence": at * 7919 % 1000 / 1000,
                    "correct": at % 7 > 0,
                    "model": "m",
                    **({"confidence_from": "word"} if kind == "cases" else {}),
                    **({"sampled": "sure"} if kind == "cases" else {}),
                }
            )
            + "\n"
            for at in range(size)
        )

    return made


@pytest.mark.parametrize("kind", ["plain", "cases"])
def test_a_row_more_costs_a_dozen_calls(kind: str) -> None:
    """Of rows that look alike few are read as JSON, however many there are."""
    made = regular(kind)
    small, large = made(3_000), made(6_000)
    read_evidence("x", made(10))
    few, many = (calls(lambda text=text: read_evidence("x", text)) for text in (small, large))
    assert many - few <= 3_000 * 18
    assert many <= 2.2 * few


def test_a_file_is_read_once_while_it_is_used() -> None:
    text = regular("plain")(50)
    first = read_evidence("x", text)
    again = read_evidence("y", text)
    assert isinstance(first, EvidenceFile)
    assert isinstance(again, EvidenceFile)
    assert again.rows is first.rows
    assert again.name == "y"
