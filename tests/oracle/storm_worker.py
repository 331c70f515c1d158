"""Asks Storm, exactly. Runs under an interpreter that has stormpy, and imports nothing of ours.

One JSON object a line comes in and one goes out. In: `model` (PRISM text), `properties` (by name),
`derive` (names of constants that the model leaves undefined) and `at` (their values, as `n/d`).
Out: `values` by property as `n/d`, and with `derive` also `derivatives` by property and constant;
`error` if Storm refused.
"""

import json
import os
import sys
import tempfile

import stormpy


def main():
    # Storm writes its warnings to standard output: that becomes standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = solve(task)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def solve(task):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.prism")
        with open(path, "w", encoding="utf-8") as file:
            file.write(task["model"])
        program = stormpy.parse_prism_program(path)
    names = list(task["properties"])
    parsed = [stormpy.parse_properties(task["properties"][name], program)[0] for name in names]
    if task.get("derive"):
        return parametric(program, names, parsed, task["derive"], task["at"])
    built = stormpy.build_sparse_exact_model(program, parsed)
    initial = built.initial_states[0]
    values = {}
    for name, one in zip(names, parsed, strict=True):
        values[name] = str(stormpy.model_checking(built, one).at(initial))
    return {"values": values, "states": built.nr_states}


def parametric(program, names, parsed, derive, at):
    built = stormpy.build_sparse_parametric_model(program, parsed)
    initial = built.initial_states[0]
    pool = {variable.name: variable for variable in built.collect_all_parameters()}
    values, derivatives = {}, {}
    for name, one in zip(names, parsed, strict=True):
        function = stormpy.model_checking(built, one).at(initial)
        point = {pool[key]: stormpy.RationalRF(at[key]) for key in pool}
        values[name] = str(function.evaluate(point))
        derivatives[name] = {
            key: str(function.derive(pool[key]).evaluate(point)) if key in pool else "0"
            for key in derive
        }
    return {"values": values, "derivatives": derivatives, "states": built.nr_states}


if __name__ == "__main__":
    main()
