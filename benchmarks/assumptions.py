"""What each assumption of the model costs where it is wrong: the table of `docs/model.md`.

A row has a figure as it is worked out with the assumption, and in a world in which it does not
hold: by declaring it where the language can say so, else by arithmetic that stands here.

    python -m benchmarks.assumptions
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import comb, exp, log

import numpy as np

from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.model.beta import jeffreys
from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

WORLD = '''
provider one { available 99% }
provider two { available 99% }
provider lab { available 100% }
tier model { provider lab price $1 in, $5 out transient 0% context 100k tokens
  latency 0.5s median, 2s p95 }
tier shaky { provider lab price $1 in, $5 out transient 10% context 100k tokens }
tier quick { provider one price $1 in, $5 out transient 5% context 100k tokens }
tier slow { provider one price $1 in, $5 out transient 5% context 100k tokens }
tier far { provider two price $1 in, $5 out transient 5% context 100k tokens }
role desk { accuracy 90% }
role tired { accuracy 97.5%, 60% if hard }
prompt say(q: text max 20 tokens) """{{ q }}"""
'''
TEXT = "text max 20 tokens"


class OneText(DiskLoader):
    """A text in place of a file, and evidence that its name says: `450_of_500.jsonl`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, path: str) -> str | None:
        if path.endswith(".jsonl"):
            good, total = map(int, path.removesuffix(".jsonl").split("_of_"))
            return '{"correct": true}\n' * good + '{"correct": false}\n' * (total - good)
        return self.text if path.endswith(".pipe") else None

    def beside(self, file: str, path: str) -> str:
        return path


def number(body: str, metric: str) -> Number:
    """A figure of a pipeline `p` with this body."""
    built = build("a.pipe", OneText(f"{WORLD}pipeline p(q: {TEXT}) -> {TEXT} {{\n{body}\n}}\n"))
    assert built.program is not None, [one.message for one in built.diagnostics]
    return analyse(built.program, built.program.pipelines["p"]).numbers[metric]


def value(body: str, metric: str = "success") -> str:
    found = number(body, metric).value
    assert found is not None
    return f"{found:.2f} s" if metric.startswith("latency") else f"{100 * found:.1f}%"


def chain(rates: str, count: int = 4) -> str:
    """So many steps, each on the answer before."""
    names = ["q", *"abcdefgh"[:count]]
    steps = [
        f"step {now}: {TEXT} = ask say({before}) by model {{ accuracy {rates} timeout 60s }}"
        for before, now in pairwise(names)
    ]
    return "\n".join([*steps, f"return {names[-1]}"])


def one(options: str, rest: str = "", tier: str = "model", other: str = "") -> str:
    return f"step a: {TEXT} = ask say(q) by {tier} {{ {options} }} {other}\n{rest}\nreturn a"


HARD = "traffic { hard: 20% }\n"
GATE = "gate g{n}: len(a) > {n} {{ catches 80% false_alarms 0% }} else reject"
LOOKS = "gate g: len(b) > 1 { catches 70% false_alarms 10% } else reject"
Row = tuple[str, str, str, str]


def rows() -> Iterator[Row]:
    """The assumption, the figure, with it and without it."""
    hard = "97.5%, 60% if hard"
    yield "cases are alike", "chain of 4 right", value(chain("90%")), value(HARD + chain(hard))
    vote = "vote 3 correlation 0%"
    yield (
        "cases are alike",
        "vote 3 right",
        value(one(f"accuracy 90% {vote}")),
        value(HARD + one(f"accuracy {hard} {vote}")),
    )
    two = "\n".join(GATE.format(n=n) for n in (1, 2))
    yield (
        "two checks miss other errors",
        "silent error",
        value(one("accuracy 90%", two), "silent_error"),
        value(one("accuracy 90%", GATE.format(n=1)), "silent_error"),
    )
    yield (
        "second answers are drawn anew",
        "vote 3 right",
        value(one("accuracy 90% vote 3 correlation 0%")),
        value(one("accuracy 90% vote 3 correlation 30%")),
    )
    redo = "gate g: len(a) > 1 { catches 80% false_alarms 5% } else redo a up to 1 else reject"
    yield (
        "second answers are drawn anew",
        "redo right",
        value(one("accuracy 90% correlation 0%", redo)),
        value(one("accuracy 90% correlation 100%", redo)),
    )
    yield (
        "what is wrong stays wrong",
        "chain of 4 right",
        value(chain("90%")),
        value(chain("90% recovers 20%")),
    )
    yield (
        "what is wrong by its input looks wrong",
        "silent error",
        value(chain("90%", 2).replace("return b", f"{LOOKS}\nreturn b"), "silent_error"),
        f"{100 * (0.1 * 0.3 + 0.1 * 0.9 * 0.9):.1f}%",  # that of `a` alone looks as right ones do
    )
    yield (
        "attempts fail apart",
        "failed",
        value(one("accuracy 90% retry 1", tier="shaky"), "failure"),
        value(one("accuracy 90%", tier="shaky"), "failure"),
    )
    yield (
        "wrong answers agree",
        "vote 3 wrong",
        value(one("accuracy 90% vote 3 correlation 0%"), "silent_error"),
        "0.0%",  # no two wrong answers are the same, so none wins
    )
    yield (
        "people err where models do not",
        "silent error",
        value(one("accuracy 90%", "approve ok by desk else reject"), "silent_error"),
        value(HARD + one(f"accuracy {hard}", "approve ok by tired else reject"), "silent_error"),
    )
    backup = "accuracy 100%"
    yield (
        "providers fail apart",
        "answered",
        value(one(backup, "", "quick", f"else ask say(q) by far {{ {backup} }}")),
        value(one(backup, "", "quick", f"else ask say(q) by slow {{ {backup} }}")),
    )
    yield "no outage outlasts a run", *outages()
    yield "evidence is of today", *drifted("shift 3%")
    yield "evidence is of today", *drifted("shift 3%", 4)
    yield "evidence is of all cases", *sampled()
    yield "rows are independent", *clustered()
    yield "times of steps are independent", *slow_days()


def outages() -> tuple[str, str, str]:
    """The 99% quantile of failed runs a day at 1,000 runs and 1% outages: by run, or by day."""
    chances = [comb(1000, k) * 0.01**k * 0.99 ** (1000 - k) for k in range(60)]
    most = int(np.searchsorted(np.cumsum(chances), 0.99))
    return "failed runs on the worst day of 100", f"{most} of 1,000", "1,000 of 1,000"


def drifted(shift: str, steps: int = 1) -> tuple[str, str, str]:
    shown = []
    for words in ("", f" {shift}"):
        found = number(chain(f'from "450_of_500.jsonl"{words}', steps), "success")
        assert found.low is not None
        assert found.high is not None
        shown.append(f"{100 * found.low:.1f} to {100 * found.high:.1f}%")
    what = "a step right, 450 of 500" if steps == 1 else f"{steps} such steps right"
    return what, shown[0], shown[1]


def sampled() -> tuple[str, str, str]:
    """Of 90% right answers a gate passes 90%, and of wrong ones 30%."""
    passed = 0.9 * 0.9 / (0.9 * 0.9 + 0.1 * 0.3)
    return "a step right, rows behind a gate", f"{100 * passed:.1f}%", "90.0%"


def clustered() -> tuple[str, str, str]:
    """How often 95% intervals hold the truth where 200 rows are 50 cases with 4 alike answers."""
    rng = np.random.default_rng(19)
    held = [0, 0]
    for _ in range(4_000):
        share = rng.beta(9, 1)
        size = 1 / 0.5 - 1  # correlation .5 within a case
        cases = rng.beta(share * size, (1 - share) * size, 50)
        good = (int(rng.binomial(200, share)), int(rng.binomial(4, cases).sum()))
        for kind, count in enumerate(good):
            found = jeffreys(count, 200)
            assert found.low is not None
            assert found.high is not None
            held[kind] += found.low <= share <= found.high
    shown = [f"{held[kind] / 40:.1f}%" for kind in (0, 1)]
    return "95% intervals that hold the truth", shown[0], shown[1]


def slow_days() -> tuple[str, str, str]:
    """The 95% quantile of four steps, and that of four times one step."""
    sigma = log(2 / 0.5) / 1.644854
    alike = 4 * 0.5 * exp(1.644854 * sigma)
    return "latency.p95 of 4 steps", value(chain("90%"), "latency.p95"), f"{alike:.2f} s"


def main() -> None:
    print("| assumed | figure | so | otherwise |\n|---|---|---|---|")
    for row in rows():
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
