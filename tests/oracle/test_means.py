"""What a run takes on average, and its quantiles, against all runs of the interpreter.

Dollars, tokens and times of generated programs: the analysis sums them up over its states, here
every run is played and weighed. Tokens are counted in prompts that Jinja2 renders. By default 20
programs of each kind are tried, with `ORACLE_LONG=1` (`make oracle`) 400.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest

from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.worlds.simulation.frames import DrawnPrompt
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import RecordType
from pipelang.semantics.walk import all_steps, blocks, inner_links

from .enumerate_runs import TooManyRunsError
from .every_run import Attempts, Played, every_run, load, mean, output_price, timed, uncached
from .generate import generate
from .generate_wide import generate_wide
from .lookup import OUTPUT_TOKENS
from .season import SHOWS_FEEDBACK
from .subject import analyse
from .write_pipe import pipe_text, write_pipe

SEEDS, BATCH = (400, 20) if os.environ.get("ORACLE_LONG") else (20, 5)  # few runs: one in three
MOST_RUNS = 400
MAKERS = {"plain": generate, "wide": generate_wide}
FIRST = 70_000  # not the seeds of the other comparisons
Number = dict[str, Any]


def written(maker: str, seed: int, folder: Path, change: Callable[[str], str]) -> Path:
    path = write_pipe(MAKERS[maker](seed), folder / f"{maker}_{seed}")
    path.write_text(change(timed(path.read_text(encoding="utf-8"))), encoding="utf-8")
    return path


def off(name: str, number: Number, expected: float, rel: float = 1e-11) -> list[str]:
    """What is wrong with a figure. An upper bound says so, and is not below."""
    found = number["value"]
    if found is None:
        return [f"{name}: {expected!r}, reported {number}"]
    upper = number["basis"] == "bound" and not number.get("tight", True)
    if upper and found >= expected:
        return []
    if found == pytest.approx(expected, rel=rel, abs=1e-12):
        return []
    return [f"{name}: {expected!r}, reported {number}"]


def off_quantiles(
    family: str, report: dict[str, Number], runs: Sequence[Played], read: Callable[[Played], float]
) -> list[str]:
    """The quantiles that are further off than 1%: too many runs are above, or below."""
    found = []
    for percent in (50, 95, 99):
        number = report[f"p{percent}"]["value"]
        if number is None:
            found.append(f"{family}.p{percent} is open")
            continue
        above = sum(float(one.chance) for one in runs if read(one) > number * 1.01 + 1e-9)
        below = sum(float(one.chance) for one in runs if read(one) < number * 0.99 - 1e-9)
        if above > 1 - percent / 100 + 1e-6 or below > percent / 100 + 1e-6:
            found.append(f"{family}.p{percent}: {number!r}, above {above}, below {below}")
    return found


def side_by_side(program: p.Program) -> bool:
    """Whether some steps, elements of a list, or voters may run at the same time."""
    inside = [block for one in program.pipelines.values() for block in blocks(one.block)]
    regions = [part for block in inside for part in block.segments if isinstance(part, p.Region)]
    steps = [step for one in program.pipelines.values() for step in all_steps(one)]
    links = [link for step in steps for link in inner_links(step.chain)]
    several = [isinstance(one.action, p.Each) or isinstance(one.vote, p.Majority) for one in links]
    return any(several) or any(len(region.members) > 1 for region in regions)


def compared(maker: str, seed: int, folder: Path) -> list[str] | None:
    """What differs; None if there are too many runs."""
    path = written(maker, seed, folder, uncached)
    loaded = load(path)
    try:
        runs = every_run(loaded, "main", MOST_RUNS)
        with_people = every_run(loaded, "main", MOST_RUNS, people=True)
    except TooManyRunsError:
        return None
    report = analyse(path)["main"]
    wide = side_by_side(loaded.program)
    found = off("cost.mean", report["cost"]["mean"], mean(runs, lambda one: one.cost))
    # A step of a child is part of the step that runs it.
    own = [step for step in report["steps"] if "." not in step["name"]]
    steps = sum(step["cost_mean"]["value"] for step in own)
    found += off("cost of all steps", report["cost"]["mean"], steps)
    found += off_quantiles("cost", report["cost"], runs, lambda one: one.cost)
    for clock, timed_runs in (("latency", runs), ("turnaround", with_people)):
        average = mean(timed_runs, lambda one: one.seconds)
        # The mean of a maximum is summed up on a lattice.
        found += off(f"{clock}.mean", report[clock]["mean"], average, rel=0.01 if wide else 1e-9)
        found += off_quantiles(clock, report[clock], timed_runs, lambda one: one.seconds)
    return found


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_dollars_and_times(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    tried = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        found = compared(maker, seed, tmp_path)
        tried += found is not None
        if found:
            failures += [f"{maker}, seed {seed}", *found, pipe_text(MAKERS[maker](seed))]
    assert tried >= BATCH // 3
    assert not failures, "\n".join(failures)


# --------------------------------------------------------------------------------------- tokens

FEEDBACK, FIRST_TEXT = "\x01", 14
"""Stand for feedback of 200 tokens in a rendered prompt, and the text of the first parameter."""
PROMPT = re.compile(r'^prompt (\w+)\((.*?)\) """\n(.*?)\n"""', re.DOTALL | re.MULTILINE)


def sample(kind: str, sign: str) -> Any:
    """A value of a parameter's type, of the longest kind."""
    listed = re.fullmatch(r"\[(.*)\] max (\d+)", kind)
    if listed is not None:
        return [sample(listed[1], sign)] * int(listed[2])
    return {"body": sign} if kind[0].isupper() else sign


@dataclass
class Shown:
    """A rendered prompt: tokens of what is the same in all, and how often each text is in it."""

    fixed: float
    texts: dict[str, int]


def prompt_tokens(text: str) -> dict[tuple[str, bool], Shown]:
    """Every prompt of a file, without and with feedback: tokens are a quarter of its bytes."""
    found = {}
    for name, head, body in PROMPT.findall(text):
        given = dict(part.split(": ", 1) for part in head.split(", "))
        signs = {param: chr(FIRST_TEXT + number) for number, param in enumerate(given)}
        values = {param: sample(kind, signs[param]) for param, kind in given.items()}
        lines = "\n".join(line.removeprefix("  ") for line in body.split("\n"))
        for feedback in (False, True):
            extra = {"feedback": FEEDBACK} if feedback else {}
            shown = jinja2.Template(lines).render(**values, **extra)
            texts = {param: shown.count(sign) for param, sign in signs.items()}
            told = shown.count(FEEDBACK)
            fixed = len(shown.encode()) - sum(texts.values()) - told
            found[name, feedback] = Shown(fixed / 4 + 200 * told, texts)
    return found


REST = {
    "Answer": '{"flag":true,"ok":true,"kind":"hard","confidence":0.5,"body":""}',
    "Note": '{"flag":true,"ok":true,"kind":"calm","confidence":0.5,"body":""}',
}
"""The shortest answers with an empty body: a body has what the mean of an answer leaves."""


def text_tokens(loaded: LoadedProgram, source: expr.Expr) -> float:
    """The mean tokens of a text that a prompt is given: 20 at most, and no more than a step's
    answers have besides the rest of them, where models make them all.
    """
    path = expr.path_of(source)
    steps = {step.name: step for step in all_steps(loaded.program.pipelines["main"])}
    step = None if path is None else steps.get(path[0])
    if step is None:
        return 20
    means = []
    for link in step.chain.links:
        asks = isinstance(link.action, p.AskTier | p.Cascade | p.Agent)
        if not asks or link.output_mean is None:
            return 20
        means.append(float(link.output_mean))
    assert isinstance(step.type, RecordType)
    return min(20.0, max(means) - len(REST[step.type.name]) / 4)


class Counted(Attempts):
    """The tokens of attempts: those of the prompt, of the answer's schema, and of the answer."""

    def __init__(self, loaded: LoadedProgram, text: str) -> None:
        super().__init__(output_price(loaded).price)
        self._loaded = loaded
        self._prompts = prompt_tokens(text)
        self._schemas = {"Answer": SCHEMA["Kind"], "Note": SCHEMA["Mood"]}

    def attempt(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, drawn: DrawnPrompt
    ) -> tuple[float, float]:
        assert isinstance(link.action, p.AskTier)
        assert isinstance(step.type, RecordType)
        shown = self._prompts[link.action.prompt, told]
        size = shown.fixed + self._schemas[step.type.name]
        for name, source in link.action.arguments:
            size += shown.texts[name] * text_tokens(self._loaded, source)
        return self.price(link, tier)[0], size + OUTPUT_TOKENS


def with_feedback(text: str) -> str:
    return text.replace("Answer this.", SHOWS_FEEDBACK)


def schema_tokens(members: str) -> float:
    """A quarter of the bytes of an answer's JSON Schema, written down by hand."""
    properties = (
        '"flag":{"type":"boolean"},"ok":{"type":"boolean"},'
        f'"kind":{{"type":"string","enum":[{members}]}},'
        '"confidence":{"type":"number","minimum":0,"maximum":1,'
        '"description":"between 0 and 1"},'
        '"body":{"type":"string","description":"at most 60 bytes of UTF-8"}'
    )
    names = '"flag","ok","kind","confidence","body"'
    whole = (
        f'{{"type":"object","properties":{{{properties}}},"required":[{names}],'
        '"additionalProperties":false}'
    )
    return len(whole) / 4


SCHEMA = {
    "Kind": schema_tokens('"plain","tricky","hard"'),
    "Mood": schema_tokens('"calm","angry"'),
}


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_tokens(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    tried = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        path = written("plain", seed, tmp_path, with_feedback)
        text = path.read_text(encoding="utf-8")
        loaded = load(path)
        try:
            runs = every_run(loaded, "main", MOST_RUNS, Counted(loaded, text))
        except TooManyRunsError:
            continue
        tried += 1
        report = analyse(path)["main"]
        found = off("tokens.mean", report["tokens"]["mean"], mean(runs, lambda one: one.tokens))
        if found:
            failures += [f"seed {seed}", *found, text]
    assert tried >= BATCH // 3
    assert not failures, "\n".join(failures)


TWO_GATES = """
provider p { kind anthropic key "env:X" available 100% }
tier t { provider p model "m" price $1 in, $5 out latency 1s median, 1s p95 transient 0%
  context 100k tokens }
prompt q(x: text max 20 tokens)
\"\"\"Say {{ x }}{% if feedback %} mind {{ feedback }}{% endif %}\"\"\"
pipeline main(x: text max 20 tokens) -> text max 20 tokens {
  step a: text max 20 tokens = ask q(x) by t { OPTIONS accuracy 80% }
  step b: text max 20 tokens = ask q(a) by t { OPTIONS accuracy 70% }
  gate g1: len(b) > 2 { catches 60% false_alarms 10% } else redo b up to 1 else reject
  gate g2: len(a) + len(b) > 5 { catches 70% false_alarms 20% } else redo a up to 2 else reject
  return b
}
""".replace("OPTIONS", "correlation 0% timeout 10s output 5 tokens mean, 20 tokens max")


def test_feedback_is_of_the_gate_that_sent_back(tmp_path: Path) -> None:
    """What a redo makes anew because it reads the redone step has no feedback in its prompt, though
    another gate sends it back with some.
    """
    path = tmp_path / "main.pipe"
    path.write_text(TWO_GATES, encoding="utf-8")

    class ByHand(Attempts):
        def attempt(
            self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, drawn: DrawnPrompt
        ) -> tuple[float, float]:
            text = 5 if step.name == "b" else 20  # `a` says how long its answers are on average
            read = 1 + text + (6 / 4 + 200 if told else 0)
            return (read + 5 * 5) / 1e6, read + 5

    loaded = load(path)
    runs = every_run(loaded, "main", 20_000, ByHand(output_price(loaded).price))
    report = analyse(path)["main"]
    assert not off("cost.mean", report["cost"]["mean"], mean(runs, lambda one: one.cost))
    assert not off("tokens.mean", report["tokens"]["mean"], mean(runs, lambda one: one.tokens))
