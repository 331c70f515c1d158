"""Storm's explicit engine on the chain of a series-parallel graph: `storm.py FILE check|build`.

What the chain is stands in `benchmarks/sources.py` and docs/model.md; its states are made here with
nothing of our analysis. A state is what is alive of the past: where we are, of each value that is
still read whether it is right, wrong or missing, and whether a step has ended the run.

With `check`, FILE is a graph, of which the chain is made here, and a sample is the time for four
outcomes and the mean cost of the chain. With `build` it is a JANI model, and the sample has Storm's
building of the chain from it, once parsed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import stormpy
from serve import once, serve

RIGHT, WRONG, MISSING = 0, 1, 2
OUTCOMES = ("success", "silent_error", "escalation", "failure")
State = tuple[tuple[int, ...], bool]


def successors(
    graph: list[dict[str, Any]], rates: dict[str, float]
) -> tuple[list[dict[int, float]], list[float]]:
    """The rows of the chain, and what leaving each state costs; its first states are outcomes."""
    last_read = {name: at for at, one in enumerate(graph) for name in one["reads"]}
    last_read[graph[-1]["reads"][0]] = len(graph)
    rows: list[dict[int, float]] = [{number: 1.0} for number in range(len(OUTCOMES))]
    costs = [0.0] * len(OUTCOMES)
    number = dict(zip(OUTCOMES, range(len(OUTCOMES)), strict=True))
    alive: tuple[str, ...] = ("x",)
    states: dict[State, int] = {((RIGHT,), False): len(rows)}
    rows.append({})
    costs.append(0.0)
    for at, one in enumerate(graph):
        slots = (*alive, one["name"]) if one["kind"] == "step" else alive
        kept = [slot for slot, name in enumerate(slots) if last_read.get(name, -1) > at]
        reads = [alive.index(name) for name in one["reads"]]
        following: dict[State, int] = {}

        def to(
            row: dict[int, float],
            bits: tuple[int, ...],
            ended: bool,
            chance: float,
            kept: list[int] = kept,
            following: dict[State, int] = following,
        ) -> None:
            left = tuple(bits[slot] for slot in kept)
            if ended:  # only what is missing still matters
                left = tuple(MISSING if bit == MISSING else RIGHT for bit in left)
            target = following.get((left, ended))
            if target is None:
                target = following[left, ended] = len(rows)
                rows.append({})
                costs.append(0.0)
            row[target] = row.get(target, 0.0) + chance

        for (bits, ended), source in states.items():
            row = rows[source]
            seen = [bits[slot] for slot in reads]
            if one["kind"] == "gate":
                if ended:
                    row[number["failure"]] = 1.0
                    continue
                stops = rates["catches"] if WRONG in seen else rates["false_alarms"]
                row[number["escalation"]] = stops
                to(row, bits, False, 1 - stops)
            elif MISSING in seen:
                to(row, (*bits, MISSING), ended, 1.0)
            else:
                costs[source] = rates["cost"]
                right = 0.0 if WRONG in seen else rates["accuracy"]
                for bit, chance in ((RIGHT, right), (WRONG, 1 - right)):
                    if chance:
                        to(row, (*bits, bit), ended, rates["succeeds"] * chance)
                to(row, (*bits, MISSING), True, 1 - rates["succeeds"])
        states, alive = following, tuple(slots[slot] for slot in kept)
    for (bits, ended), source in states.items():
        outcome = "failure" if ended else "success" if bits[0] == RIGHT else "silent_error"
        rows[source][number[outcome]] = 1.0
    return rows, costs


def chain(rows: list[dict[int, float]], costs: list[float]) -> Any:
    """The chain as Storm has it."""
    entries = sum(map(len, rows))
    builder = stormpy.SparseMatrixBuilder(len(rows), len(rows), entries, force_dimensions=True)
    for source, row in enumerate(rows):
        for target in sorted(row):
            builder.add_next_value(source, target, row[target])
    labels = stormpy.storage.StateLabeling(len(rows))
    for number, name in enumerate((*OUTCOMES, "init")):
        labels.add_label(name)
        labels.add_label_to_state(name, number)  # the first state after the outcomes is the first
    labels.add_label("over")
    for number in range(len(OUTCOMES)):
        labels.add_label_to_state("over", number)
    rewards = {"cost": stormpy.SparseRewardModel(optional_state_reward_vector=costs)}
    parts = stormpy.SparseModelComponents(builder.build(), labels, rewards)
    return stormpy.storage.SparseDtmc(parts)


def main() -> None:
    file, what = sys.argv[1:]
    environment = stormpy.Environment()
    # Without loops a chain is solved component by component; the default takes longer.
    environment.solver_environment.set_linear_equation_solver_type(
        stormpy.EquationSolverType.topological
    )

    def check(model: Any, properties: list[Any]) -> None:
        first = model.initial_states[0]
        found = [
            stormpy.model_checking(
                model, one, only_initial_states=True, environment=environment
            ).at(first)
            for one in properties
        ]
        said = f"{model.nr_states} states, success {found[0]:.12f}, cost {found[-1]:.12f}"
        print(said, file=sys.stderr)

    if what == "build":
        parsed, _ = stormpy.parse_jani_model(file)
        texts = [f"P=? [F outcome={number + 1}]" for number in range(len(OUTCOMES))]
        text = ";".join([*texts, 'R{"cost"}=? [F outcome>0]'])
        properties = stormpy.parse_properties_for_jani_model(text, parsed)
        serve(lambda: once(lambda: check(stormpy.build_model(parsed, properties), properties)))
        return
    with open(file, encoding="utf-8") as opened:
        given = json.load(opened)
    model = chain(*successors(given["graph"], given["rates"]))
    texts = [f'P=? [F "{name}"]' for name in OUTCOMES] + ['R{"cost"}=? [F "over"]']
    properties = [stormpy.parse_properties(text)[0] for text in texts]
    serve(lambda: once(lambda: check(model, properties)))


main()
