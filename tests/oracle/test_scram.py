"""Joins and majorities against SCRAM, a fault-tree tool, to the six digits that it prints.

Where every answer is drawn once and nothing recovers, what a pipeline returns is wrong if any
answer behind it is: a fault tree whose basic events are answers that are wrong by themselves. An
ancestor of both sides of a join is one event under two gates, and so is the outage of a provider
that all calls of a vote share. Multiplying the gates would be wrong; SCRAM expands them exactly.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from .fault_trees import Tree
from .subject import analyse

Judged = Callable[[int], None]

pytestmark = pytest.mark.judge("SCRAM")

WORLD = """
provider a {{ available {available}% }}
tier t {{ provider a transient {transient}% price $0 in, $0 out }}
type R {{ body: text max 50 tokens }}
prompt q(x: [text max 50 tokens] max 9) \"\"\"{{% for t in x %}}{{{{ t }}}}{{% endfor %}}\"\"\"
pipeline f(x: text max 50 tokens) -> [text max 50 tokens] max 9 {{
{items}
}}
"""
OPTIONS = "output 10 tokens max timeout 5s"


def report(items: list[str], folder: Path, available: str, transient: str) -> dict[str, float]:
    path = folder / "f.pipe"
    text = WORLD.format(available=available, transient=transient, items="\n".join(items))
    path.write_text(text, encoding="utf-8")
    outcomes = analyse(path)["f"]["outcomes"]
    return {name: number["value"] for name, number in outcomes.items()}


def digits(value: float) -> float:
    """As SCRAM prints it."""
    return float(f"{value:.6g}")


@pytest.mark.parametrize("seed", range(12))
def test_a_join_is_wrong_as_often_as_its_tree(seed: int, tmp_path: Path, judged: Judged) -> None:
    """Steps that read several earlier ones, so that many share an ancestor; all are returned."""
    rng = random.Random(seed)
    tree, items = Tree(), []
    for number in range(rng.randint(4, 9)):
        earlier = [f"s{n}" for n in range(number)]
        read = rng.sample(earlier, min(len(earlier), rng.randint(1, 3)))
        wrong = rng.choice([0.01, 0.05, 0.1, 0.2])
        texts = ", ".join(f"{name}.body" for name in read) or "x"
        items.append(
            f"  step s{number}: R = ask q([{texts}]) by t"
            f" {{ accuracy {100 - wrong * 100:g}% {OPTIONS} }}"
        )
        tree.events[f"slip{number}"] = wrong
        tree.gate(f"s{number}", "or", [f"slip{number}", *read])
    last = [f"s{n}" for n in range(len(items) - 3, len(items))]
    items.append(f"  return [{', '.join(f'{name}.body' for name in last)}]")
    tree.gate("wrong", "or", last)
    found = report(items, tmp_path, "100", "0")
    assert digits(found["silent_error"]) == pytest.approx(tree.probability(tmp_path), rel=2e-6)
    judged(1)


@pytest.mark.parametrize("seed", range(12))
def test_steps_fail_as_often_as_their_tree(seed: int, tmp_path: Path, judged: Judged) -> None:
    """An outage fails all steps at once; a fault fails one, unless a retry goes through."""
    rng = random.Random(seed)
    tree, items = Tree(), []
    tree.events["outage"] = 0.02
    steps = rng.randint(2, 6)
    for number in range(steps):
        tries = rng.randint(1, 3)
        faults = [f"fault{number}_{k}" for k in range(tries)]
        tree.events |= dict.fromkeys(faults, 0.1)
        tree.gate(f"faults{number}", "and", faults)
        tree.gate(f"failed{number}", "or", ["outage", f"faults{number}"])
        items.append(
            f"  step s{number}: R = ask q([x]) by t {{ accuracy 90% retry {tries - 1} {OPTIONS} }}"
        )
    items.append(f"  return [{', '.join(f's{n}.body' for n in range(steps))}]")
    tree.gate("failed", "or", [f"failed{n}" for n in range(steps)])
    found = report(items, tmp_path, "98", "10")
    assert digits(found["failure"]) == pytest.approx(tree.probability(tmp_path), rel=2e-6)
    judged(1)


@pytest.mark.parametrize("calls", [3, 5, 7])
def test_a_majority_under_one_outage(calls: int, tmp_path: Path, judged: Judged) -> None:
    """No majority is right if the provider is out, or too many calls fail or are wrong."""
    tree = Tree()
    tree.events["outage"] = 0.02
    for number in range(calls):
        tree.events |= {f"fault{number}": 0.1, f"wrong{number}": 0.2}
        tree.gate(f"call{number}", "or", [f"fault{number}", f"wrong{number}"])
    missing = calls - calls // 2  # so many bad calls leave no majority for the right answer
    tree.gate("too_few", "atleast", [f"call{n}" for n in range(calls)], least=missing)
    tree.gate("not_right", "or", ["outage", "too_few"])
    options = f"accuracy 80% correlation 0% vote {calls} {OPTIONS}"
    items = [f"  step s: R = ask q([x]) by t {{ {options} }}", "  return [s.body]"]
    found = report(items, tmp_path, "98", "10")
    assert digits(1 - found["success"]) == pytest.approx(tree.probability(tmp_path), rel=2e-6)
    judged(1)
