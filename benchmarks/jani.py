"""A series-parallel graph as a JANI model, of which Storm's explicit engine builds a chain.

JANI and not PRISM: its edges belong to locations, so that Storm looks in each state at those of one
step. Of a PRISM module it would look at every command in every state, which is quadratic.

The variables are registers for the values that are alive (0 right, 1 wrong, 2 missing) and whether
a step has ended the run; where we are is a location. `workers/storm.py` makes the chain itself as
well, without Storm's builder and with fewer states: it forgets more behind an ending.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.sources import Instruction

RIGHT, WRONG, MISSING = 0, 1, 2
OUTCOMES = ("success", "silent_error", "escalation", "failure")
Json = dict[str, Any]


def as_jani(graph: Sequence[Instruction], rates: dict[str, float]) -> Json:
    """The model of a graph."""
    registers = _Registers(graph)
    edges: list[Json] = []
    for at, one in enumerate(graph):
        reads = [registers.of(name) for name in one.reads]
        if one.kind == "gate":
            made = _gate(at, reads[0], rates)
        else:
            made = _step(at, reads, registers.take(at, one), rates)
        edges += _emptying(made, registers.emptied(at))
    last = registers.of(graph[-1].reads[0])
    edges += _end(len(graph), last)
    variables = [_variable(f"r{number}", 2) for number in range(registers.most)]
    places = [f"l{at}" for at in range(len(graph) + 1)]
    return {
        "jani-version": 1,
        "name": "series_parallel",
        "type": "dtmc",
        "variables": [
            *variables,
            {"name": "ended", "type": "bool", "initial-value": False},
            {"name": "cost", "type": "real", "transient": True, "initial-value": 0},
            _variable("outcome", len(OUTCOMES)),
        ],
        "properties": [],
        "automata": [
            {
                "name": "run",
                "locations": [{"name": name} for name in (*places, "over")],
                "initial-locations": ["l0"],
                "edges": edges,
            }
        ],
        "system": {"elements": [{"automaton": "run"}], "syncs": []},
    }


class _Registers:
    """Which register holds which value; one that nobody reads any more is taken again."""

    def __init__(self, graph: Sequence[Instruction]) -> None:
        self._last = {name: at for at, one in enumerate(graph) for name in one.reads}
        self._last[graph[-1].reads[0]] = len(graph)
        self._holds = {"x": 0}
        self._before: set[int] = set()
        self.most = 1

    def of(self, name: str) -> str:
        return f"r{self._holds[name]}"

    def take(self, at: int, step: Instruction) -> str:
        """A register for what a step makes: one of a value that was read here for the last time."""
        alive = self._alive(at)
        self._before = set(self._holds.values())
        free = next(number for number in range(len(alive) + 1) if number not in alive.values())
        self._holds = {**alive, step.name: free}
        self.most = max(self.most, free + 1)
        return f"r{free}"

    def emptied(self, at: int) -> list[str]:
        """The registers of values that were read here for the last time, and hold nothing new."""
        alive = self._alive(at)
        gone = set(self._holds.values()) | self._before
        self._holds, self._before = alive, set()
        return [f"r{held}" for held in sorted(gone - set(alive.values()))]

    def _alive(self, at: int) -> dict[str, int]:
        return {name: held for name, held in self._holds.items() if self._last[name] > at}


def _step(at: int, reads: list[str], own: str, rates: dict[str, float]) -> list[Json]:
    missing = _any(reads, MISSING)
    wrong = _any(reads, WRONG)
    fails = _to(at + 1, 1 - rates["succeeds"], {own: MISSING, "ended": True}, rates["cost"])
    works, accuracy = rates["succeeds"], rates["accuracy"]
    # Of a run that has ended only matters what is missing, so right stands for wrong as well.
    return [
        _edge(at, missing, [_to(at + 1, 1, {own: MISSING})]),
        _edge(
            at,
            _and(_not(missing), _and(_not(wrong), _not("ended"))),
            [
                _to(at + 1, works * accuracy, {own: RIGHT}, rates["cost"]),
                _to(at + 1, works * (1 - accuracy), {own: WRONG}, rates["cost"]),
                fails,
            ],
        ),
        _edge(
            at,
            _and(_not(missing), _and(wrong, _not("ended"))),
            [_to(at + 1, works, {own: WRONG}, rates["cost"]), fails],
        ),
        _edge(
            at,
            _and(_not(missing), "ended"),
            [_to(at + 1, works, {own: RIGHT}, rates["cost"]), fails],
        ),
    ]


def _gate(at: int, read: str, rates: dict[str, float]) -> list[Json]:
    edges = [_edge(at, "ended", [_over(1, "failure")])]
    for bit, stops in ((RIGHT, rates["false_alarms"]), (WRONG, rates["catches"])):
        guard = _and(_not("ended"), _is(read, bit))
        edges.append(_edge(at, guard, [_over(stops, "escalation"), _to(at + 1, 1 - stops, {})]))
    return edges


def _end(at: int, read: str) -> list[Json]:
    going = _not("ended")
    return [
        _edge(at, "ended", [_over(1, "failure")]),
        _edge(at, _and(going, _is(read, RIGHT)), [_over(1, "success")]),
        _edge(at, _and(going, _is(read, WRONG)), [_over(1, "silent_error")]),
        {"location": "over", "destinations": [{"location": "over"}]},
    ]


def _emptying(edges: list[Json], registers: list[str]) -> list[Json]:
    """The edges, with what nobody reads any more put to 0: else it would tell states apart."""
    for edge in edges:
        for destination in edge["destinations"]:
            if destination["location"] != "over":
                values = ({"ref": name, "value": RIGHT} for name in registers)
                destination["assignments"].extend(values)
    return edges


# -------------------------------------------------------------------------------------- writing


def _variable(name: str, most: int) -> Json:
    bounds = {"kind": "bounded", "base": "int", "lower-bound": 0, "upper-bound": most}
    return {"name": name, "type": bounds, "initial-value": 0}


def _edge(at: int, guard: Any, destinations: list[Json]) -> Json:
    return {"location": f"l{at}", "guard": {"exp": guard}, "destinations": destinations}


def _to(at: int, chance: float, values: dict[str, Any], cost: float = 0.0) -> Json:
    assignments = [{"ref": name, "value": value} for name, value in values.items()]
    if cost:
        assignments.append({"ref": "cost", "value": cost})
    return {
        "location": f"l{at}",
        "probability": {"exp": chance},
        "assignments": assignments,
    }


def _over(chance: float, outcome: str) -> Json:
    number = OUTCOMES.index(outcome) + 1
    return {
        "location": "over",
        "probability": {"exp": chance},
        "assignments": [{"ref": "outcome", "value": number}],
    }


def _is(register: str, bit: int) -> Json:
    return {"op": "=", "left": register, "right": bit}


def _any(registers: list[str], bit: int) -> Json:
    found = _is(registers[0], bit)
    for register in registers[1:]:
        found = {"op": "∨", "left": found, "right": _is(register, bit)}
    return found


def _and(left: Any, right: Any) -> Json:
    return {"op": "∧", "left": left, "right": right}


def _not(inside: Any) -> Json:
    return {"op": "¬", "exp": inside}
