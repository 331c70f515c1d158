"""Runs the examples over all their data and puts what was observed beside what was predicted.

    python examples/run_example.py              # every example that has an `example.json`
    python examples/run_example.py moderation   # one of them
    python examples/run_example.py moderation --model   # asks the models; their keys must be set

An example joins by an `example.json` in its folder:

    {"file": "desk.pipe",
     "runs": [{"pipeline": "handle", "data": "data/tickets.jsonl", "labels": "data/labels.jsonl"}]}

A run may name another `file`. `data` has the inputs of one run a line (an input {"path": "a.pdf"}
is a file), and `labels`, line by line, what is true of it. The pipelines under `durable` are run in
a store as well (`durable_example.py`), and the patterns under `patterns` are tried on texts that
were written to get past them (`pattern_rates.py`). The pipeline never sees a label:
{"case": "T01", "answer": {"queue": "billing"}, "trap": "injection", "tenant": "acme",
"people": {"good": true, "editor": {"action": "remove"}}}.
All but `case` may be left out. `answer` is what a right answer has at least (with `"free": true` it
is a text, which a model words differently: then only recorded answers are judged), `trap` names an
ugly case, `people` says how approvals decide (by name) and what roles answer. Exit code 1 where a
run broke what holds for all runs: it failed, or cost more than the worst case.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pipelang

HERE = Path(__file__).resolve().parent
STATE = "PIPELANG_EXAMPLE_STATE"
"""Names the folder where the tools of examples write."""


class LabelledPeople:
    """Answers for people what the labels say; where they say nothing, nobody is there."""

    def __init__(self) -> None:
        self.words: dict[str, Mapping[str, Any]] = {}

    async def decide(self, run_id: str, question: pipelang.Question) -> pipelang.Decision | None:
        """The yes or no of the label."""
        said = self.words.get(run_id, {}).get(question.person.name)
        return None if said is None else pipelang.Decision(yes=said, by=question.person.role)

    async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
        """The answer of the label."""
        return self.words.get(run_id, {}).get(role)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            yield json.loads(line)


def has(answer: Any, wanted: Any) -> bool:
    """Whether an answer has at least what is wanted of it."""
    if isinstance(wanted, dict):
        return isinstance(answer, dict) and all(has(answer.get(k), v) for k, v in wanted.items())
    return bool(answer == wanted)


def plain(value: Any) -> Any:
    """An answer as JSON has it."""
    return value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else value


def how_it_ended(result: Any, label: Mapping[str, Any], model: bool) -> str:
    """The outcome of a run in the words of the analysis; a rejection that was wanted is right."""
    match result:
        case pipelang.Answered() if model and label.get("free"):
            return "answered, not judged"
        case pipelang.Answered(value=value):
            right = "answer" not in label or has(plain(value), label["answer"])
            return "success" if right else "silent_error"
        case pipelang.Escalated():
            return "escalation"
        case pipelang.Rejected():
            return "rejection"
        case _:
            return "failure"


def given(folder: Path, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a run, with files for what names one."""
    return {
        name: folder / value["path"] if isinstance(value, dict) and [*value] == ["path"] else value
        for name, value in inputs.items()
    }


async def run_all(
    folder: Path, file: str, run: Mapping[str, str], model: bool
) -> list[tuple[dict[str, Any], Any]]:
    """Every line of the data with its label and its result, one after the other."""
    try:
        program = pipelang.load(folder / file)
    except pipelang.CheckFailed as error:
        raise SystemExit(str(error)) from None
    people = LabelledPeople()
    providers: dict[str, Any] = {}
    if not model:
        from pipelang.runtime.providers.replay import ReplayProvider

        recorded = ReplayProvider(folder / "recordings" / f"{Path(file).stem}.jsonl")
        providers = dict.fromkeys(program.program.providers, recorded)
    runtime = pipelang.Runtime(
        people=people, providers=providers, chance=random.Random(1), trace=False
    )
    handle = program.pipeline(run["pipeline"], runtime=runtime)
    results = []
    pairs = zip(lines(folder / run["data"]), lines(folder / run["labels"]), strict=True)
    for inputs, label in pairs:
        people.words[label["case"]] = label.get("people", {})
        one = handle.with_options(run_id=label["case"], tenant=label.get("tenant"))
        results.append((label, await one.run(**given(folder, inputs))))
    await runtime.close()
    return results


def predicted(path: Path) -> dict[str, Any]:
    """The report of `pipelang check` on a file."""
    command = [sys.executable, "-m", "pipelang", "check", "--format", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode > 1 or not done.stdout:
        raise SystemExit(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)["pipelines"]
    return report


def share(number: Mapping[str, Any] | None) -> str:
    """A predicted share, or its range where the value is unknown."""
    if number is None:
        return "0.0%"
    if number["value"] is None:
        return f"{number['low']:.1%}–{number['high']:.1%}"
    return f"{number['value']:.1%}"


def summary(
    report: Mapping[str, Any], results: list[tuple[dict[str, Any], Any]], model: bool
) -> list[str]:
    """Outcomes, reasons, money and traps: predicted beside observed."""
    total = len(results)
    ends = [how_it_ended(result, label, model) for label, result in results]
    counted = Counter(ends)
    said = [f"  {'':34}{'predicted':>14}{'observed':>11}   of {total} runs"]
    for name, number in report["outcomes"].items():
        said.append(
            f"  {name:34}{share(number):>14}{counted[name] / total:>11.1%}{counted[name]:>6}"
        )
    if unjudged := counted["answered, not judged"]:
        said.append(f"  {'answered, not judged':34}{'':14}{unjudged / total:>11.1%}{unjudged:>6}")
    for kind, word in (("escalations", "escalated"), ("rejections", "rejected")):
        wanted = "escalation" if kind == "escalations" else "rejection"
        by = Counter(r.reason for (_, r), end in zip(results, ends, strict=True) if end == wanted)
        numbers = report.get(kind, {})
        for name in sorted({*numbers, *by}, key=lambda reason: (-by[reason], reason)):
            if not by[name] and (numbers[name]["high"] or 0) < 0.0005:
                continue
            shown = share(numbers[name]) if kind == "escalations" and name in numbers else ""
            said.append(
                f"    {word + ' ' + name:32}{shown:>14}{by[name] / total:>11.1%}{by[name]:>6}"
            )
    costs = [float(result.cost) for _, result in results]
    for name, seen in (("mean", sum(costs) / total), ("worst", max(costs))):
        number = report["cost"][name]
        value = number["value"] if isinstance(number, dict) else number
        told = "unknown" if value is None else f"${value:.6f}"
        said.append(f"  {'cost.' + name:34}{told:>14}{f'${seen:.6f}':>11}")
    said.append(f"  {'cost of all runs':34}{'':14}{f'${sum(costs):.4f}':>11}")
    traps: dict[str, Counter[str]] = {}
    for (label, result), end in zip(results, ends, strict=True):
        if "trap" in label:
            how = f"{end} by {result.reason}" if end in ("escalation", "rejection") else end
            traps.setdefault(label["trap"], Counter())[how] += 1
    for trap, kinds in sorted(traps.items()):
        how = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
        caught = kinds.total() - kinds["silent_error"] - kinds["failure"]
        said.append(f"  trap {trap:27} caught {caught} of {kinds.total()}: {how}")
    wrong = [
        label["case"]
        for (label, _), end in zip(results, ends, strict=True)
        if end in ("silent_error", "failure")
    ]
    if wrong:
        said.append(f"  wrong and unnoticed, or failed: {', '.join(wrong)}")
    return said


def broken(report: Mapping[str, Any], results: list[tuple[dict[str, Any], Any]]) -> list[str]:
    """What no run may do, and one did."""
    worst = report["cost"]["worst"]
    most = worst["value"] if isinstance(worst, dict) else worst
    found = []
    for label, result in results:
        if most is not None and float(result.cost) > most + 1e-9:
            found.append(f"{label['case']} cost ${result.cost}, more than the worst case ${most}")
        if isinstance(result, pipelang.Failed):
            found.append(f"{label['case']} failed: {result.code} at {result.reason}")
    return found


def run_example(name: str, model: bool) -> bool:
    """Run one example and print its summary; False where a promise of all runs is broken."""
    folder = HERE / name
    plan = json.loads((folder / "example.json").read_text(encoding="utf-8"))
    reports: dict[str, dict[str, Any]] = {}
    good = True
    for run in plan["runs"]:
        file = run.get("file", plan["file"])
        if file not in reports:
            reports[file] = predicted(folder / file)
        results = asyncio.run(run_all(folder, file, run, model))
        source = "models" if model else "recorded answers"
        print(f"\n{name}: {run['pipeline']} over {run['data']}, {source}")
        report = reports[file][run["pipeline"]]
        print("\n".join(summary(report, results, model)))
        for problem in broken(report, results):
            good = False
            print(f"  BROKEN: {problem}")
    if plan.get("patterns") and not model:
        print(flush=True)
        line = [sys.executable, str(HERE / "pattern_rates.py"), name]
        good = subprocess.run(line, check=False).returncode == 0 and good
    if plan.get("durable") and not model:
        good = durably(name) and good
    return good


def durably(name: str) -> bool:
    """Run an example in a store too, with two workers, if the extra `durable` is installed."""
    if find_spec("dbos") is None:
        print(f"\n{name}: not run in a store: pip install 'pipelang-dsl[durable]'")
        return True
    line = [sys.executable, str(HERE / "durable_example.py"), name]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    print(f"\n{done.stdout.rstrip()}\n{done.stderr}".rstrip())
    return done.returncode == 0


def main() -> int:
    """Run the examples that are named, or all."""
    joined = sorted(path.parent.name for path in HERE.glob("*/example.json"))
    parser = argparse.ArgumentParser(description="Run examples: predicted beside observed.")
    parser.add_argument("names", nargs="*", choices=[*joined, []], metavar="NAME")
    parser.add_argument("--model", action="store_true", help="ask the models instead of recordings")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pipelang-examples-") as state:
        os.environ.setdefault(STATE, state)
        done = [run_example(name, options.model) for name in options.names or joined]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
