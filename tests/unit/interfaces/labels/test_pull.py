"""Verdicts of people become rows of evidence: which count, where they go, and what is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import pipelang
from pipelang import Case, Inbox, Runtime
from pipelang.diagnostics import RULES
from pipelang.interfaces.check import disk_loader
from pipelang.interfaces.cli.evidence.command import command
from pipelang.interfaces.labels.verdicts import SAME_PERSON, verdicts
from pipelang.runtime.inbox.cases import Verdict, verdict_words
from pipelang.runtime.providers.protocol import ModelAnswer, ModelRequest, Usage

PROGRAM = """
provider lab { kind fake available 100% }
tier small {
  provider lab model "s" price $1 in, $5 out latency 1s median transient 0% context 100k tokens
}
role labellers { people 2 handles 2m rushed 20s }
role experts { people 1 handles 2m weight 3 }
role signer { people 1 must_differ_from labellers }
type Answer { value: text max 100 tokens  confidence: probability }
prompt say(x: text) \"\"\"Say {{ x }}.\"\"\"
prompt other(x: text) \"\"\"Say something else than {{ x }}.\"\"\"

pipeline main(x: text) -> text {
  sample SHARE of kind, plain by labellers
  sample SHARE of kind by experts
  step kind: Answer = ask PROMPT(x) by small { accuracy from "kind.jsonl" } else fail "no"
  step plain: Answer = ask say(x) by small { accuracy 90% } else fail "no"
  approve ok by signer when x == "signed" else fail "unsigned"
  return kind.value
}
"""


class Model:
    name = "lab"

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        return ModelAnswer({"value": "v", "confidence": 0.75}, Usage(10, 5), request.model)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


class Office:
    """A program beside its evidence, and the people who judge what it answered."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        self.inbox = Inbox(folder / ".pipelang" / "inbox")
        self.evidence = folder / "kind.jsonl"
        self.evidence.write_text('{"case": "old", "confidence": 0.5, "correct": true}\n')

    def write(self, share: str = "100%", prompt: str = "say") -> None:
        text = PROGRAM.replace("SHARE", share).replace("PROMPT", prompt)
        Path("main.pipe").write_text(text, encoding="utf-8")

    def run(self, count: int = 1, x: str = "x") -> None:
        loaded = pipelang.load("main.pipe", allow=RULES)
        runtime = Runtime(providers={"lab": Model()}, people=self.inbox)
        handle = loaded.pipeline("main", runtime=runtime)

        async def main() -> None:
            for _ in range(count):
                await handle.run(x=x)

        asyncio.run(main())

    def judge(self, of: Callable[[Case], bool], right: bool, **said: Any) -> list[Case]:
        found = [case for case in self.inbox.cases() if of(case)]
        for case in found:
            asyncio.run(self.inbox.label(case.id, right=right, **{"by": "ada", **said}))
        return found

    def pull(self, *more: str, code: int = 0) -> Result:
        result = CliRunner().invoke(command, ["pull", "main.pipe", *more])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.evidence.read_text().splitlines()][1:]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(tmp_path, monkeypatch)
    made.write()
    return made


def of(step: str, role: str) -> Callable[[Case], bool]:
    return lambda case: (case.name, case.role) == (step, role)


def test_verdicts_become_rows_that_check_reads(office: Office) -> None:
    office.run(3)
    office.judge(of("kind", "labellers"), True, seconds=30, sure=0.9)
    before = office.evidence.read_text()
    said = office.pull("--dry-run").output
    assert office.evidence.read_text() == before
    assert said.count('+{"case": ') == 3
    said = office.pull().output
    rows = office.rows()
    assert len(rows) == 3
    assert len({row["case"] for row in rows}) == 3
    loaded = pipelang.load("main.pipe", allow=RULES)
    (origin,) = {(row["prompt"], row["model"], row["sampled"], row["by"]) for row in rows}
    assert origin[1:] == ("s", "all", "ada")
    assert {(row["confidence"], row["sure"]) for row in rows} == {(0.75, 0.9)}
    (evidence,) = loaded.program.evidence.values()
    assert (evidence.right, len(evidence.rows)) == (4, 4)
    assert "4 of 4 right" in said
    assert "more make it" in said
    assert "0 rows new, 3 already there" in office.pull().output
    assert office.rows() == rows


def test_hurried_verdicts_and_those_of_unknown_time_never_count(office: Office) -> None:
    office.run(2)
    first, second = [case for case in office.inbox.cases() if of("kind", "labellers")(case)]
    asyncio.run(office.inbox.label(first.id, right=True, by="ada", seconds=19.9))
    asyncio.run(office.inbox.label(second.id, right=True, by="ada"))
    said = office.pull().output
    assert "1 not counted: it was given in a hurry" in said
    assert "1 not counted: it does not say how long it took, and its role has" in said
    assert office.rows() == []


def test_experts_weigh_more_and_equal_weights_contradict(office: Office) -> None:
    office.run(1)
    office.judge(of("kind", "labellers"), True, seconds=30)
    office.judge(of("kind", "experts"), False, by="eve")
    office.pull()
    assert [(row["correct"], row["by"]) for row in office.rows()] == [(False, "eve")]
    Path("main.pipe").write_text(Path("main.pipe").read_text().replace("weight 3", "weight 1"))
    office.evidence.write_text('{"correct": true}\n')
    said = office.pull().output
    assert office.rows() == []
    assert "2 not counted: they contradict each other with equal weight" in said
    assert "`ada` (labellers) says right, `eve` (experts) says wrong" in said


def test_who_has_no_right_to_judge_does_not_count(office: Office) -> None:
    office.run(1)
    office.judge(of("kind", "labellers"), True, seconds=30)
    text = Path("main.pipe").read_text()
    Path("main.pipe").write_text(text.replace("kind, plain by labellers", "plain by labellers"))
    assert "of a role that `sample` does not name" in office.pull().output
    assert office.rows() == []


def test_who_decided_for_a_role_that_must_differ_does_not_count(office: Office) -> None:
    """The inbox refuses it; what somebody else's inbox let through is left out."""
    office.run(1)
    (label,) = office.judge(of("kind", "labellers"), True, seconds=30)
    cases = list(office.inbox.cases(closed=True))
    signed = replace(
        next(case for case in cases if case.id == label.id),
        id="signed",
        kind="approve",
        role="signer",
        about=None,
        verdict=Verdict(yes=True, by="ADA"),
    )
    program = pipelang.load("main.pipe", allow=RULES).program
    assert len(verdicts(program, cases).judged) == 1
    found = verdicts(program, [*cases, signed])
    assert (found.judged, found.left_out) == ([], {SAME_PERSON: 1})


def test_the_programs_own_word_never_counts(office: Office) -> None:
    office.run(1)
    office.judge(of("kind", "labellers"), True, seconds=30, by="Small")
    assert "1 not counted: it is the program's own word" in office.pull().output
    assert office.rows() == []


def test_answers_to_another_prompt_are_told(office: Office) -> None:
    office.run(1)
    office.judge(of("kind", "labellers"), True, seconds=30)
    office.write(prompt="other")
    assert "1 not counted: it answers another prompt" in office.pull().output
    assert office.rows() == []


def test_runs_sampled_with_different_shares_are_made_alike(office: Office) -> None:
    office.run(8)
    office.write(share="40%")
    office.run(60)
    office.judge(of("kind", "labellers"), True, seconds=30)
    said = office.pull().output
    cases = [case for case in office.inbox.cases(closed=True) if of("kind", "labellers")(case)]
    alike = {case.run_id for case in cases if (case.about or {})["draw"] < 0.4}
    assert {row["case"] for row in office.rows()} == alike
    assert ("same chance" in said) == (len(alike) < len(cases))


def test_an_expert_who_judges_some_of_the_runs_costs_no_rows(office: Office) -> None:
    """A run of the smaller sample is one of the larger, so all had the chance of that one. The rows
    of whoever judged were thinned to the share of the experts.
    """
    text = Path("main.pipe").read_text()
    Path("main.pipe").write_text(text.replace("100% of kind by experts", "40% of kind by experts"))
    office.run(20)
    office.judge(of("kind", "labellers"), True, seconds=30)
    seen = office.judge(of("kind", "experts"), False, by="eve")
    assert 0 < len(seen) < 20
    assert "same chance" not in office.pull().output
    rows = office.rows()
    assert (len(rows), sum(not row["correct"] for row in rows)) == (20, len(seen))
    cases = office.inbox.cases(closed=True)
    found = verdicts(pipelang.load("main.pipe", allow=RULES).program, cases).judged
    assert {one.share for one in found} == {1.0}


def test_the_share_of_who_may_no_longer_judge_is_none(office: Office) -> None:
    """Their verdicts do not count, so what is left has the chances of the others' sample."""
    text = Path("main.pipe").read_text()
    text = text.replace("100% of kind by experts", "40% of kind by experts")
    Path("main.pipe").write_text(text)
    office.run(20)
    office.judge(of("kind", "experts"), True, by="eve")
    Path("main.pipe").write_text(text.replace("kind, plain by labellers", "plain by labellers"))
    cases = office.inbox.cases(closed=True)
    found = verdicts(pipelang.load("main.pipe", allow=RULES).program, cases).judged
    assert found
    assert {one.share for one in found} == {0.4}


def test_a_second_answer_alone_is_no_row_of_a_new_file(office: Office) -> None:
    """The new file has no rows then, of which no share can be told."""
    again = 'gate good: plain.confidence >= 90% else redo plain up to 1 else fail "no"\n  approve'
    text = Path("main.pipe").read_text().replace("approve", again, 1)
    Path("main.pipe").write_text(text)
    office.run(2)
    second = [case for case in office.inbox.cases() if (case.about or {}).get("visit") == 1]
    assert second
    for case in second:
        asyncio.run(office.inbox.label(case.id, right=True, by="ada", seconds=30))
    said = office.pull("--to", "plain=plain.jsonl").output
    assert "plain.jsonl: 0 rows new" in said
    assert "a redo whose first answer nobody judged" in said
    assert not Path("plain.jsonl").exists()
    made = json.loads(office.pull("--to", "plain=plain.jsonl", "--format", "json").output)
    assert [(one["total"], one["needed"]) for one in made["files"]] == [(0, None)]


@pytest.mark.parametrize("data", [b'\xff\xfe{"x"', b"a\0b", None])
def test_a_file_of_rows_that_nobody_can_read_is_told(office: Office, data: bytes | None) -> None:
    office.run(1)
    office.judge(of("plain", "labellers"), True, seconds=30)
    if data is None:
        Path("rows.jsonl").mkdir()
    else:
        Path("rows.jsonl").write_bytes(data)
    said = office.pull("--to", "plain=rows.jsonl", code=1).stderr
    assert "`rows.jsonl` cannot be read: " in said
    assert data is None or Path("rows.jsonl").read_bytes() == data


@pytest.mark.parametrize(("given", "right"), [(True, False), (False, True)])
def test_a_correction_may_be_false(
    given: bool, right: bool, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(self: Model, request: ModelRequest) -> ModelAnswer:
        return ModelAnswer({"answer": given}, Usage(10, 5), request.model)

    monkeypatch.setattr(Model, "answer", answer)
    text = Path("main.pipe").read_text().replace("plain: Answer", "plain: bool")
    text = text.replace("step kind: Answer", "step kind: bool")
    Path("main.pipe").write_text(text.replace("kind.value", "x"))
    office.run(1)
    (case,) = office.judge(of("plain", "labellers"), False, seconds=30, answer=right)
    assert verdict_words(office.inbox.case(case.id)) == "said it is wrong, and corrected it"
    office.pull("--to", "plain=plain.jsonl", "--corrections", "wrong.jsonl")
    (wrong,) = [json.loads(line) for line in Path("wrong.jsonl").read_text().splitlines()]
    assert (wrong["answer"], wrong["corrected"]) == (given, right)


def test_a_step_without_a_file_gets_one(office: Office) -> None:
    office.run(1)
    correct = {"value": "w", "confidence": 1}
    office.judge(of("plain", "labellers"), False, seconds=30, answer=correct)
    assert "accuracy` is from no file" in office.pull().output
    office.pull("--to", "plain=evals/plain.jsonl", "--corrections", "wrong.jsonl")
    (row,) = [json.loads(line) for line in Path("evals/plain.jsonl").read_text().splitlines()]
    assert row["correct"] is False
    (wrong,) = [json.loads(line) for line in Path("wrong.jsonl").read_text().splitlines()]
    assert (wrong["input"], wrong["corrected"]["value"]) == ({"x": "x"}, "w")
    for bad in ("plain", "other=x.jsonl", "plain=x.txt"):
        office.pull("--to", bad, code=2)


@pytest.mark.parametrize(
    ("today", "why"),
    [
        ("step plain: Answer = ask other(x) by small", "it answers another prompt"),
        ("step plain: Answer = ask say(x) by large", "it is of another model"),
    ],
)
def test_a_new_file_takes_only_answers_to_what_is_asked_today(
    office: Office, today: str, why: str
) -> None:
    office.run(1)
    office.judge(of("plain", "labellers"), True, seconds=30)
    tier = 'tier large { provider lab model "l" price $1 in, $5 out latency 1s median '
    tier += "transient 0% context 100k tokens }\n"
    text = Path("main.pipe").read_text(encoding="utf-8")
    text = text.replace("step plain: Answer = ask say(x) by small", today)
    Path("main.pipe").write_text(text.replace("role labellers", tier + "role labellers", 1))
    assert f"1 not counted: {why}" in office.pull("--to", "plain=plain.jsonl").output
    assert not Path("plain.jsonl").exists()


def test_rows_of_decisions_say_what_their_confidence_is(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A threshold on what a model says of itself is held to no probabilities that were told
    (P615): rows that do not say which they have can be held to nothing.
    """
    told = [True, False, True]

    async def answer(self: Model, request: ModelRequest) -> ModelAnswer:
        if not request.choices:
            return ModelAnswer({"value": "v", "confidence": 0.7}, Usage(9, 5), request.model)
        value = {"value": "api", "confidence": 0.75}
        return ModelAnswer(value, Usage(9, 5), request.model, probabilities=told.pop(0))

    monkeypatch.setattr(Model, "answer", answer)
    text = PROGRAM.replace("SHARE", "100%").replace("PROMPT", "say")
    text = text.replace("kind: Answer", "kind: decision Team").replace("kind.value", "plain.value")
    Path("main.pipe").write_text("enum Team { api hosting }" + text)
    office.run(3)
    office.judge(of("kind", "labellers"), True, seconds=30)
    office.judge(of("plain", "labellers"), True, seconds=30)
    office.pull("--to", "plain=plain.jsonl")
    found = sorted(str(row.get("confidence_from")) for row in office.rows())
    assert found == ["probabilities", "probabilities", "word"]
    assert "confidence_from" not in Path("plain.jsonl").read_text()


def test_a_file_does_not_grow_beyond_what_can_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither `check` nor the next `pull` could read it: what is new belongs into another file."""
    office.run(2)
    office.judge(of("kind", "labellers"), True, seconds=30)
    before = office.evidence.read_bytes()
    for most in (len(before) + 20, len(before) + 150):
        monkeypatch.setattr(disk_loader, "MAX_BYTES", most)
        said = office.pull(code=1)
        assert "could not be read any more" in said.stderr
        assert "another file" in said.stderr
        assert office.evidence.read_bytes() == before
    monkeypatch.setattr(disk_loader, "MAX_BYTES", len(before) + 1000)
    assert "2 rows new" in office.pull().output


LISTS = (
    PROGRAM.replace("sample SHARE of kind, plain", "sample 100% of kinds, child.kind")
    .replace("  sample SHARE of kind by experts\n", "")
    .replace(
        "  step kind: Answer = ask PROMPT(x) by small "
        '{ accuracy from "kind.jsonl" } else fail "no"\n',
        '  step kinds: [Answer] = each one in [x, "b"] {\n'
        '    ask say(one) by small { accuracy from "kind.jsonl" }\n  } else fail "no"\n'
        '  step inside = run child(x) else fail "no"\n',
    )
    .replace("return kind.value", "return inside")
    + """
pipeline child(x: text) -> text {
  step kind: Answer = ask other(x) by small { accuracy from "kind.jsonl" } else fail "no"
  return kind.value
}
"""
)


def test_elements_and_answers_of_a_sub_pipeline_become_rows_of_their_own(office: Office) -> None:
    Path("main.pipe").write_text(LISTS)
    office.run()
    office.judge(of("kinds[0]", "labellers"), True, seconds=60)
    office.judge(of("kinds[1]", "labellers"), False, seconds=60)
    office.judge(of("inside/kind", "labellers"), True, seconds=60)
    assert "3 rows new" in office.pull().output
    rows = {row["case"].partition("/")[2]: row["correct"] for row in office.rows()}
    assert rows == {"kinds[0]": True, "kinds[1]": False, "inside": True}
    assert "0 rows new, 3 already there" in office.pull().output


@pytest.mark.parametrize("taken", ["kind.jsonl", "main.pipe", "notes.txt", "folder"])
def test_corrections_replace_no_other_file(office: Office, taken: str) -> None:
    """The evidence file itself, named by mistake, was left empty."""
    office.run(1)
    correct = {"value": "w", "confidence": 1}
    office.judge(of("kind", "labellers"), False, seconds=60, answer=correct)
    Path("notes.txt").write_text("mine\n")
    Path("folder").mkdir()
    path = Path(taken)
    before = path.read_text() if path.is_file() else None
    said = office.pull("--corrections", taken, code=1 if taken == "folder" else 2).output
    assert taken in said
    assert before is None or path.read_text() == before
    assert office.rows() == []
    for _ in range(2):  # those of the last time are replaced
        office.pull("--corrections", "wrong.jsonl")
        assert len(Path("wrong.jsonl").read_text().splitlines()) == 1


def test_simulated_answers_are_no_evidence_and_no_corrections(office: Office) -> None:
    """Neither those of a provider that is one, nor those of `--provider simulated` in its place."""
    Model.name, was = "simulated", Model.name
    try:
        office.run(2)
    finally:
        Model.name = was
    office.judge(of("kind", "labellers"), False, seconds=60, answer={"value": "w", "confidence": 1})
    said = office.pull("--corrections", "wrong.jsonl").output
    assert "2 not counted: they are of simulated answers" in said
    assert "wrong.jsonl: 0 rows" in said
    assert Path("wrong.jsonl").read_text() == ""
    assert office.rows() == []


@pytest.mark.parametrize(
    "row",
    [
        '{"case": "a\u2028b\u0085c", "correct": true}',
        '{"case": 17, "attempt": null, "correct": true}',
        '{"case": 17, "correct": true, "by": ' + "9" * 5_000 + "}",
        '{"case": 17, "correct": true}\n{"case": 17, "attempt": 2.0, "correct": true}',
    ],
)
def test_rows_that_are_there_are_read_as_check_reads_them(office: Office, row: str) -> None:
    """They were read anew, as other JSON and other lines, and ended in errors of Python."""
    office.evidence.write_text(f"{row}\n", "utf-8")
    office.run(1)
    office.judge(of("kind", "labellers"), True, seconds=30, by="ada\u2028b")
    before = row.count("\n") + 1
    assert f"{before + 1} of {before + 1} right" in office.pull().output
    assert office.evidence.read_text("utf-8").count("\n") == before + 1
    assert "0 rows new, 1 already there" in office.pull().output
    assert office.evidence.read_text("utf-8").startswith(row)


def test_a_file_that_says_otherwise_is_not_overwritten(office: Office) -> None:
    office.run(1)
    (case,) = office.judge(of("kind", "labellers"), True, seconds=30)
    row = json.dumps({"case": case.run_id, "correct": False})
    office.evidence.write_text(f"{row}\n")
    assert "the file says wrong, ada says right" in office.pull(code=1).output
    assert office.evidence.read_text() == f"{row}\n"


def test_a_program_without_a_sample_is_told(office: Office) -> None:
    text = Path("main.pipe").read_text()
    lines = [line for line in text.splitlines() if "sample" not in line]
    Path("main.pipe").write_text("\n".join(lines))
    office.pull(code=2)


def test_a_folder_that_is_not_there_is_told(office: Office) -> None:
    assert (
        "there is no state folder `elsewhere`" in office.pull("--state", "elsewhere", code=1).output
    )


def test_as_json(office: Office) -> None:
    office.run(1)
    office.judge(of("kind", "labellers"), True, seconds=30)
    said = json.loads(office.pull("--format", "json").output)
    (file,) = said["files"]
    assert (file["right"], file["total"], len(file["new"]), said["waiting"]) == (2, 2, 1, 2)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_full_disk_refuses_is_not_told_as_written(
    form: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write()
    office.run(2)
    office.judge(lambda case: case.about is not None, right=True)
    before = office.evidence.read_bytes()

    def full(name: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelang.runtime.files.whole_files.write_whole", full)
    done = office.pull("--format", form, code=1)
    assert "cannot be written: No space left on device" in done.stderr
    assert done.stdout == ""
    assert office.evidence.read_bytes() == before


NULLABLE = PROGRAM.replace("SHARE", "100%").replace("PROMPT", "say").replace(
    "sample 100% of kind by experts",
    "sample 100% of seen by experts\n  step seen: text? = call look(x) else fail 'no'".replace(
        "'", '"'
    ),
) + ("tool look(x: text) -> text? { effect read }\n")


@pytest.mark.parametrize("words", [(), ("--sure", "90%")], ids=["plain", "sure"])
def test_a_correction_may_be_null_where_the_type_has_it(office: Office, words: Any) -> None:
    from pipelang.interfaces.cli.commands import group

    Path("main.pipe").write_text(NULLABLE, encoding="utf-8")
    loaded = pipelang.load("main.pipe", allow=RULES)
    runtime = Runtime(
        providers={"lab": Model()}, people=office.inbox, tools={"look": lambda x: "found"}
    )
    asyncio.run(loaded.pipeline("main", runtime=runtime).run(x="x"))
    (seen,) = [case for case in office.inbox.cases() if case.name == "seen"]
    other = next(case for case in office.inbox.cases() if case.name == "kind")

    line = ["approve", other.id, "--answer", "null", "--by", "ada", *words]
    done = CliRunner().invoke(group, line)
    assert (done.exit_code, office.inbox.case(other.id).state) == (1, "open")
    assert "the corrected answer does not fit: expected an object, found null" in done.output

    done = CliRunner().invoke(
        group, ["approve", seen.id, "--answer", "null", "--by", "eve", *words]
    )
    assert done.exit_code == 0, done.output
    assert "eve said it is wrong, and corrected it" in done.output
    verdict = office.inbox.case(seen.id).verdict
    assert verdict is not None
    assert (verdict.yes, verdict.answer, verdict.answered) == (False, None, True)
    assert CliRunner().invoke(group, ["inbox", seen.id]).output.endswith("    null\n")
    office.pull("--corrections", "wrong.jsonl")
    (row,) = [json.loads(line) for line in Path("wrong.jsonl").read_text().splitlines()]
    assert (row["step"], row["answer"], row["corrected"]) == ("seen", "found", None)


def test_a_mark_that_is_called_confidence_is_none(office: Office) -> None:
    text = PROGRAM.replace("SHARE", "100%").replace("PROMPT", "say")
    marked = text.replace("confidence: probability", "confidence: number in 0..100")
    Path("main.pipe").write_text(marked, encoding="utf-8")
    model = Model()

    async def answer(request: ModelRequest) -> ModelAnswer:
        return ModelAnswer({"value": "v", "confidence": 87}, Usage(10, 5), request.model)

    model.answer = answer  # type: ignore[method-assign]
    loaded = pipelang.load("main.pipe", allow=RULES)
    runtime = Runtime(providers={"lab": model}, people=office.inbox)
    asyncio.run(loaded.pipeline("main", runtime=runtime).run(x="x"))
    office.judge(of("kind", "labellers"), True, seconds=30)
    office.pull()
    (row,) = office.rows()
    assert "confidence" not in row
    assert len(pipelang.load("main.pipe", allow=RULES).program.evidence["kind.jsonl"].rows) == 2
