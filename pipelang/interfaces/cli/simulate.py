"""`pipelang simulate`: many runs of the real interpreter over a simulated world."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.check.tier_notes import tier_notes
from pipelang.interfaces.cli.options.tiers import StandIns, tier_option
from pipelang.interfaces.cli.terminal import wants_colour, warn, write
from pipelang.interfaces.text.colours import Paint, painter
from pipelang.interfaces.text.number_format import plural
from pipelang.semantics.metrics import COST_MEAN, ESCALATION, MEAN, P50, P95, P99

if TYPE_CHECKING:
    from pipelang.interfaces.runs.compare_simulation import ObservedFigure, Simulated


@click.command(name="simulate", short_help="Run many simulated runs against the prediction.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--runs", type=click.IntRange(1, 10_000_000), default=10_000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--unknown",
    type=click.Choice(["low", "high"]),
    help="What undeclared chances count as: 0% or 100%.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@tier_option
def command(
    file: str,
    pipeline: str | None,
    runs: int,
    seed: int,
    unknown: str | None,
    form: str,
    tiers: StandIns,
) -> None:
    """Run PIPELINE of FILE (all by default) RUNS times, without models, tools or people.

    The interpreter is the real one; its world answers from the declared numbers, in virtual time.
    What was observed stands beside what the analysis says, with 99.9% intervals. Exit code 1 if a
    prediction lies outside its interval.
    """
    from pipelang.diagnostics import RULES
    from pipelang.interfaces.cli.programs import load_program, pick_pipeline, stop
    from pipelang.interfaces.runs.compare_simulation import simulated
    from pipelang.runtime.worlds.simulation.declared_chances import UnknownChance

    # Simulating is looking at what a program would do: nothing is refused for what that is.
    loaded = load_program(file, allow=RULES, tiers=dict(tiers)).loaded
    for line in tier_notes(loaded.program):
        warn(f"note: {line}")
    names = [pick_pipeline(loaded, file, pipeline)] if pipeline else list(loaded.pipelines)
    results: list[Simulated] = []
    live = sys.stderr.isatty()
    for name in names:
        chosen = loaded.program.pipelines[name]

        def show(done: int, name: str = name) -> None:
            if live:
                filled = "█" * (30 * done // runs)
                sys.stderr.write(f"\r{name}  {filled:<30} {done:,} of {runs:,}")
                sys.stderr.flush()

        value = {"low": 0.0, "high": 1.0, None: None}[unknown]
        try:
            results.append(simulated(loaded, chosen, runs, seed, value, show))
        except UnknownChance as missing:
            from pipelang.analysis.findings.metric_findings import site_words

            stop(
                f"`{name}`: nobody declared {site_words(str(missing))}",
                1,
                "declare it, or say what unknown chances count as: --unknown low or high",
            )
        if live:
            sys.stderr.write("\r" + " " * 78 + "\r")
            sys.stderr.flush()
    if not names:
        warn(f"note: `{file}` has no pipeline")
    if form == "json":
        record = {"pipelines": {one.name: one.as_json() for one in results}}
        write(json.dumps(record, indent=2, allow_nan=False) + "\n")
    else:
        paint = painter(wants_colour(sys.stdout))
        write("".join(f"{line}\n" for one in results for line in _text(one, seed, paint)))
    wrong = sum(not one.agrees for result in results for one in _all(result))
    if wrong:
        lie = "prediction lies outside its" if wrong == 1 else "predictions lie outside their"
        warn(f"{wrong} {lie} 99.9% interval")
        sys.exit(1)


def _all(result: Simulated) -> list[ObservedFigure]:
    return [*result.outcomes.values(), *result.escalations.values(), *result.shares.values()]


def _text(result: Simulated, seed: int, paint: Paint) -> list[str]:
    room = 20 if any(one.bounds for one in _all(result)) else 12
    lines = [
        paint(result.name, "title") + f"  {plural(result.runs, 'simulated run')} (seed {seed})",
        paint(f"  {'':<24}{'observed':>10}{'99.9% interval':>20}{'predicted':>{room}}", "dim"),
    ]
    rows = [*result.outcomes.items(), *result.shares.items()]
    rows += [(f"{ESCALATION}.{name}", one) for name, one in result.escalations.items()]
    for name, one in rows:
        interval = f"{one.low:.3%} – {one.high:.3%}"
        predicted = "–" if one.expected is None else f"{one.expected:.3%}"
        if one.bounds is not None:
            predicted = f"{one.bounds[0]:.3%} – {one.bounds[1]:.3%}"
        mark = "" if one.agrees else paint("  outside", "bad")
        lines.append(f"  {name:<24}{one.observed:>10.3%}{interval:>20}{predicted:>{room}}{mark}")
    mean = result.cost[MEAN]
    predicted = "–" if mean["expected"] is None else "$" + format(mean["expected"], ".6f")
    if "bounds" in mean:
        predicted = f"at most ${mean['bounds'][1]:.6f}"
    observed = "?" if mean["observed"] is None else "$" + format(mean["observed"], ".6f")
    lines.append(f"  {COST_MEAN:<24}{observed:>10}{'':>20}{predicted:>{room}}")
    seconds = result.latency
    quantiles = ", ".join(f"{q} {seconds[q]['observed']:.2f} s" for q in (P50, P95, P99))
    lines.append(f"  machine time: {quantiles}")
    return [*lines, ""]
