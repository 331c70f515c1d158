"""`pipelang golden`: run a set of cases with expected outcomes, and compare two versions on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.options.quantities import ShareOption
from pipelang.interfaces.cli.programs import load_program, pick_pipeline, stop
from pipelang.interfaces.cli.terminal import warn, write
from pipelang.interfaces.text.number_format import plural

if TYPE_CHECKING:
    from pipelang.interfaces.golden.cases import GoldenCase
    from pipelang.interfaces.golden.running import CaseRuns, Purse, SetRuns
    from pipelang.interfaces.golden.summary import Comparison, JudgeAccuracy, Summary
    from pipelang.runtime.host.handle import LoadedProgram, Runtime

PROVIDERS = ("auto", "real", "replay", "simulated")
ALPHA = 0.05


def _money(ctx: click.Context, option: click.Parameter, given: str | None) -> Decimal | None:
    if given is None:
        return None
    try:
        amount = Decimal(given.removeprefix("$"))
    except InvalidOperation:
        raise click.BadParameter(f"`{given}` is no amount of money: write $5") from None
    if not amount.is_finite() or amount <= 0:
        raise click.BadParameter(f"`{given}`: a budget is more than $0")
    return amount


@click.command(name="golden", short_help="Run a set of cases with what is expected of them.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--set", "golden", metavar="FILE", required=True, help="The cases, one a line.")
@click.option("--record", is_flag=True, help="Write what is answered now into cases without.")
@click.option("--against", metavar="REV|FILE", help="Another version, on the same cases.")
@click.option("--times", type=click.IntRange(1, 1000), default=1, help="Runs of each case.")
@click.option("--budget", callback=_money, metavar="MONEY", help="For all runs, e.g. $5.")
@click.option("--least", type=ShareOption(), help="The share that must pass. Default: all.")
@click.option("--provider", type=click.Choice(PROVIDERS), default="auto", show_default=True)
@click.option("--replay", metavar="FILE", help="Play this recording.")
@click.option("--seed", type=int, default=0, show_default=True, help="For simulated answers.")
@click.option("--effects", is_flag=True, help="Let tools act where a case has no answer.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text")
def command(
    file: str,
    pipeline: str | None,
    golden: str,
    record: bool,
    against: str | None,
    times: int,
    budget: Decimal | None,
    least: float | None,
    provider: str,
    replay: str | None,
    seed: int,
    effects: bool,
    form: str,
) -> None:
    """Run the cases of --set on PIPELINE of FILE, each --times times, and say how many pass, with
    an interval, and which do not and why. With --against a git revision or another file runs on the
    same cases: what flipped is named, and McNemar's exact test says whether it is chance.

    Exit code 0 when as many cases pass as --least says (with --against: when the new version is not
    shown to be worse), 1 if not, or when the budget was spent before the end; 2 on wrong usage.
    """
    from pipelang.interfaces.golden.running import Purse, SetRunner, judges_of
    from pipelang.interfaces.golden.summary import comparison, judge_accuracy, summary

    if record and against is not None:
        stop("--record and --against exclude each other", USAGE)
    loaded = load_program(file).loaded
    if pipeline is not None:
        pick_pipeline(loaded, file, pipeline)
    cases, text = _cases(golden, loaded, pipeline)
    unsaid = [case for case in cases if case.expected is None]
    if unsaid and not record:
        names = ", ".join(f"`{case.name}`" for case in unsaid[:5])
        stop(f"nothing is expected of {names}", USAGE, "--record writes what is answered now")
    purse = Purse(budget)
    judging = judges_of(cases, loaded.program)
    if budget is not None:
        _reserved(purse, loaded, [case.pipeline for case in cases], file)
        _reserved(purse, loaded, [one.name for one in judging], file)
    runner = SetRunner(loaded, _runtimes(file, loaded, provider, replay, seed, form), purse)
    if not effects:
        for case, tool in runner.unmocked(cases):
            help = f'give the case an answer: "tools": {{"{tool}": ...}}; or say --effects'
            stop(f"`{golden}`, line {case.line}: `{tool}` acts on the world", USAGE, help)
    judges = [judge_accuracy(loaded.program, one) for one in judging]
    if record:
        made = _run(runner, unsaid, 1)
        _record(golden, text, made)
        raise SystemExit(FINDINGS if made.left else 0)
    before: SetRuns | None = None
    if against is not None:
        other = _other(against, file)
        runtimes = _runtimes(file, other, provider, replay, seed, form)
        for case in cases:
            if case.pipeline not in other.program.pipelines:
                stop(f"`{against}` has no pipeline `{case.pipeline}`", FINDINGS)
        if budget is not None:
            _reserved(purse, other, [case.pipeline for case in cases], against)
        before = _run(SetRunner(other, runtimes, purse), cases, times)
    after = _run(runner, cases, times)
    found = summary(after, judges)
    compared = None if before is None else comparison(before, after)
    shown = _json if form == "json" else _text
    spent = None if purse.unknown else purse.spent
    shown(found, judges, after, spent, compared, against)
    raise SystemExit(_code(found, after, before, compared, least))


def _reserved(purse: Purse, loaded: LoadedProgram, names: Sequence[str], file: str) -> None:
    """Have a purse know what a run can cost at most; ends the command where nothing bounds it."""
    from pipelang.analysis.metrics.analyse import analyse
    from pipelang.semantics.metrics import COST_WORST

    for name in dict.fromkeys(names):
        worst = analyse(loaded.program, loaded.program.pipelines[name]).numbers[COST_WORST].high
        if worst is None or worst == float("inf"):
            help = f"give `{name}` a budget, such as `budget $0.10`, or leave --budget out"
            stop(f"nothing bounds what a run of `{name}` in `{file}` costs", USAGE, help)
        purse.know(loaded.program, name, Decimal(str(worst)))


def _code(
    found: Summary,
    after: SetRuns,
    before: SetRuns | None,
    compared: Comparison | None,
    least: float | None,
) -> int:
    if after.left or (before is not None and before.left):
        return FINDINGS
    if compared is not None and least is None:
        return FINDINGS if compared.worse and compared.test.p_worse <= ALPHA else 0
    return 0 if found.passed >= (1.0 if least is None else least) * found.cases else FINDINGS


def _cases(
    golden: str, loaded: LoadedProgram, pipeline: str | None
) -> tuple[list[GoldenCase], str]:
    from pipelang.interfaces.check.disk_loader import input_text
    from pipelang.interfaces.golden.cases import BadSet, read_set
    from pipelang.interfaces.golden.expected_types import check_types
    from pipelang.runtime.host.handle import InputError
    from pipelang.runtime.host.inputs import checked_inputs, has_media
    from pipelang.semantics.loader import Unreadable

    try:
        text = input_text(golden)
    except FileNotFoundError:
        stop(f"there is no file `{golden}`", USAGE)
    except (OSError, Unreadable) as error:
        stop(f"`{golden}` cannot be read: {error}", FINDINGS)
    try:
        cases = read_set(text, loaded.program, pipeline)
        for case in cases:
            check_types(case, loaded.program)
            wanted = loaded.program.pipelines[case.pipeline]
            if has_media(wanted):
                continue
            try:
                checked_inputs(loaded.types, wanted, case.given)
            except InputError as wrong:
                raise BadSet(case.line, str(wrong), "as `pipelang run --input` takes it") from None
    except BadSet as bad:
        line, why, help = bad.args
        stop(f"`{golden}`, line {line}: {why}", FINDINGS, help)
    return cases, text


def _runtimes(
    file: str, loaded: LoadedProgram, provider: str, replay: str | None, seed: int, form: str
) -> Callable[[], Runtime]:
    """A maker of runtimes, one a run. Models are chosen as `pipelang run` does; with simulated ones
    every run has another seed.
    """
    from pipelang.interfaces.runs.provider_choice import NoProvider, RecordingFiles, set_up

    files = RecordingFiles(Path(replay) if replay else None, None)
    count = 0

    def make() -> Runtime:
        nonlocal count
        count += 1
        try:
            setup = set_up(file, loaded, provider, seed + count - 1, None, files)
        except NoProvider as error:
            stop(str(error), USAGE)
        if count == 1 and setup.note and form == "text":
            warn(f"note: {setup.note}")
        return setup.runtime

    return make


def _run(runner: Any, cases: Sequence[GoldenCase], times: int) -> SetRuns:
    from pipelang.runtime.tools.binding import ToolMissing

    try:
        made: SetRuns = asyncio.run(runner.run(cases, times))
    except ToolMissing as missing:
        stop(str(missing), FINDINGS, missing.help)
    return made


def _other(against: str, file: str) -> LoadedProgram:
    """The other version: a file, or this file in a git revision."""
    from pipelang.interfaces.check.git_revision import NoRevision, RevisionLoader, find_revision
    from pipelang.runtime.host.handle import LoadedProgram
    from pipelang.semantics.build import build

    if against.endswith(".pipe"):
        return load_program(against).loaded
    try:
        built = build(file, RevisionLoader(find_revision(against, file)))
    except NoRevision as wrong:
        why, help = wrong.args
        stop(why, USAGE, help)
    if built.program is None:
        stop(f"`{file}` is no program in `{against}`", FINDINGS, "`pipelang check` says why")
    return LoadedProgram(built.program)


def _record(golden: str, text: str, made: SetRuns) -> None:
    """Write what was answered into the lines of the cases that expect nothing yet."""
    from pipelang.interfaces.golden.cases import lines_of
    from pipelang.runtime.files import strict_json
    from pipelang.runtime.files.whole_files import replace_whole

    lines = lines_of(text)
    for one in made.runs:
        line = lines[one.case.line - 1]
        row = json.loads(line.removeprefix("\ufeff"))
        row["expect"] = _as_expected(one)
        end = line[len(line.rstrip("\r\n")) :]
        lines[one.case.line - 1] = strict_json.line(row) + end
    try:
        replace_whole(golden, "".join(lines).encode())
    except OSError as error:
        stop(f"`{golden}` cannot be written: {error.strerror or error}", FINDINGS)
    write(f"{golden}: {len(made.runs)} case{'' if len(made.runs) == 1 else 's'} recorded; review ")
    write("them: what is wrong now is expected from now on\n")
    if made.left:
        write(f"the budget is spent: {plural(len(made.left), 'case is', 'cases are')} left\n")


def _as_expected(one: CaseRuns) -> dict[str, Any]:
    from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected
    from pipelang.runtime.engine.values import to_json

    result = one.results[0]
    match result:
        case Answered():
            return {"value": json.loads(json.dumps(to_json(result.value), default=str))}
        case Escalated():
            return {"outcome": "escalated", "role": result.role, "reason": result.reason}
        case Rejected():
            return {"outcome": "rejected", "reason": result.reason}
        case Failed():
            return {"outcome": "failed", "code": result.code}


def _text(
    found: Summary,
    judges: list[JudgeAccuracy],
    after: SetRuns,
    spent: Decimal | None,
    compared: Comparison | None,
    against: str | None,
) -> None:
    each = "" if found.times == 1 else f" {found.times} of {found.times} times"
    share = f"{found.passed / found.cases:.1%}" if found.cases else "none"
    write(f"{found.passed} of {plural(found.cases, 'case')} pass{each}: {share}")
    write(f" ({found.low:.1%} to {found.high:.1%})\n")
    if found.times > 1:
        write(f"single runs: {found.run_passes} of {found.runs} pass\n")
    for judge in judges:
        if judge.low is None:
            write(f"`{judge.name}` judges, and nobody declared how often it is right\n")
        else:
            write(f"`{judge.name}` judges, right in {judge.low:.1%} to {judge.high:.1%}: ")
            write("its mistakes are in the interval\n")
    for one in found.failed:
        passes = f" ({one.passes} of {len(one.differences)} pass)" if one.passes else ""
        why = next(filter(None, one.differences))
        write(f"  {one.case.name} (line {one.case.line}){passes}: {why}\n")
    if compared is not None:
        _tell_comparison(compared, against or "")
    cost = "unknown" if spent is None else f"${f'{spent:.6f}'.rstrip('0').rstrip('.')}"
    write(f"cost {cost}\n")
    if after.left:
        write(f"the budget is spent: {_cases_of(len(after.left))} not run\n")


def _cases_of(count: int) -> str:
    return "1 case was" if count == 1 else f"{count} cases were"


def _tell_comparison(compared: Comparison, against: str) -> None:
    for what, flipped in (("worse", compared.worse), ("better", compared.better)):
        if flipped:
            names = ", ".join(one.case.name for one in flipped)
            write(f"{what} than {against}: {names}\n")
    changed = len(compared.worse) + len(compared.better)
    if not changed:
        write(f"no case flipped against {against}\n")
        return
    if compared.test.p_worse <= ALPHA:
        verdict = "it is worse"
    elif compared.test.p_value <= ALPHA:
        verdict = "it is better"
    else:
        verdict = "this may be chance"
    write(f"{changed} flipped, {compared.same} did not: p = {compared.test.p_value:.3g} ")
    write(f"(McNemar, exact): {verdict}\n")


def _json(
    found: Summary,
    judges: list[JudgeAccuracy],
    after: SetRuns,
    spent: Decimal | None,
    compared: Comparison | None,
    against: str | None,
) -> None:
    from pipelang.diagnostics.render import dumps

    said: dict[str, Any] = {
        "version": 1,
        "cases": found.cases,
        "passed": found.passed,
        "low": found.low,
        "high": found.high,
        "times": found.times,
        "runs": found.runs,
        "run_passes": found.run_passes,
        "unsteady": [one.case.name for one in found.unsteady],
        "failed": [
            {"case": one.case.name, "line": one.case.line, "why": list(one.differences)}
            for one in found.failed
        ],
        "judges": [{"pipeline": j.name, "low": j.low, "high": j.high} for j in judges],
        "cost": None if spent is None else str(spent),
        "left": [case.name for case in after.left],
    }
    if compared is not None:
        said["against"] = {
            "version": against,
            "worse": [one.case.name for one in compared.worse],
            "better": [one.case.name for one in compared.better],
            "same": compared.same,
            "p_value": compared.test.p_value,
            "p_worse": compared.test.p_worse,
        }
    write(dumps(said) + "\n")
