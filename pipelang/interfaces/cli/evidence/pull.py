"""`pipelang evidence pull`: what people said of sampled answers, as rows of evidence to review."""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.evidence.reading import (
    evidence_text,
    must_stay_readable,
    read_evidence_file,
)
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import read_program, stop
from pipelang.interfaces.cli.terminal import write
from pipelang.interfaces.runs.state_folder import DEFAULT
from pipelang.runtime.files import strict_json

if TYPE_CHECKING:
    from pipelang.interfaces.labels.rows import FileRows, Pulled
    from pipelang.interfaces.labels.verdicts import Judged, Verdicts
    from pipelang.runtime.inbox.cases import Case

ENOUGH = 0.03
"""Half the width of an interval that most decisions can live with."""


@click.command(name="pull", short_help="Write verdicts of people into evidence files.")
@click.argument("file")
@click.option("--store", metavar="URL", help="The store of durable runs.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of the inbox.")
@click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="STEP=FILE",
    help="The file of a step whose accuracy is from none so far.",
)
@click.option(
    "--corrections", metavar="FILE", help="Write wrong answers with the corrected ones there."
)
@click.option("--dry-run", is_flag=True, help="Show the change, and write nothing.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text")
def pull_command(
    file: str,
    store: str | None,
    state: str,
    targets: tuple[str, ...],
    corrections: str | None,
    dry_run: bool,
    form: str,
) -> None:
    """Write what people said of sampled answers (`sample` in FILE) into the files that
    `accuracy from` names there, as new rows at their end: a change to review and commit. Rows say
    which case, prompt and model they are of, when and by whom; `check` reads them.

    Verdicts that do not count are told with the reason. Where runs were sampled with different
    shares, as many are left out as make their chances equal. Exit code 0, 1 where a file is
    malformed or says otherwise, 2 on wrong usage.
    """
    from pipelang.interfaces.cli.inbox import inbox_at, note_broken_cases
    from pipelang.interfaces.labels.rows import is_simulated, rows_of, with_rows
    from pipelang.interfaces.labels.verdicts import verdicts
    from pipelang.runtime.inbox.cases import InboxBroken

    program, _ = read_program(file)
    sampled = [one for one in program.pipelines.values() if one.samples]
    if not sampled:
        help = "write `sample 5% of STEP by ROLE` into a pipeline"
        stop(f"`{file}` samples nothing", USAGE, help)
    if store is None and not Path(state).is_dir():
        help = "`pipelang run` keeps the inbox there; `--store URL` is a store's"
        stop(f"there is no state folder `{state}`", FINDINGS, help)
    more = _targets(targets, {step for one in sampled for s in one.samples for step in s.steps})
    if corrections is not None:
        _may_be_replaced(corrections)
    with inbox_at(state, store) as inbox:
        try:
            cases: tuple[Case, ...] = inbox.cases(closed=True)
        except InboxBroken as broken:
            stop(str(broken), FINDINGS)
        note_broken_cases(inbox.unreadable)
    found = verdicts(program, cases)
    texts = {name: evidence_text(name) or "" for name in {*program.evidence, *more.values()}}
    for name in more.values():
        if texts[name].strip():
            read_evidence_file(name)
    pulled = rows_of(program, found.judged, texts, more)
    changes = {
        name: (texts.get(name, ""), with_rows(texts.get(name, ""), rows.new))
        for name, rows in pulled.files.items()
        if rows.new
    }
    for name, (_, after) in changes.items():
        must_stay_readable(name, after.encode())
    # Written first and told then: what a full disk refuses is not said to be there.
    if not dry_run:
        for name, (_, after) in changes.items():
            _write(name, after)
    if form == "json":
        _json(found, pulled)
    else:
        for name, (before, after) in changes.items() if dry_run else ():
            write(_diff(name, before, after))
        _tell(found, pulled, dry_run)
    if corrections is not None and not dry_run:
        real = [one for one in found.judged if not is_simulated(program, one)]
        _corrections(corrections, real, quiet=form == "json")
    if any(rows.differ for rows in pulled.files.values()):
        raise SystemExit(FINDINGS)


def _targets(given: tuple[str, ...], steps: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        step, sign, name = one.partition("=")
        if not sign or not name.endswith(".jsonl"):
            stop(f"`--to {one}` names no file", USAGE, "write `--to kind=evals/kind.jsonl`")
        if step.rpartition(".")[2] not in steps:
            known = ", ".join(sorted(steps))
            stop(f"`--to {one}`: no `sample` names `{step}`", USAGE, f"sampled are: {known}")
        found[step] = name
    return found


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, name, n=1
    )
    return "".join(lines)


def _tell(found: Verdicts, pulled: Pulled, dry_run: bool) -> None:
    from pipelang.interfaces.labels.verdicts import not_counted

    for rows in pulled.files.values():
        write(f"{rows.file}: {_rows(len(rows.new))} {'to write' if dry_run else 'new'}")
        write(f", {rows.known} already there\n" if rows.known else "\n")
        if rows.total:
            write(f"  {_standing(rows)}\n")
        for one in rows.differ:
            write(f"  contradicts: {one}; change the file by hand if the verdict is right\n")
    left: Counter[str] = Counter(found.left_out)
    left.update(pulled.left_out)
    for why, count in sorted(left.items(), key=lambda pair: -pair[1]):
        write(not_counted(count, why) + "\n")
    for one in found.contradictions[:10]:
        write(f"  {one}\n")
    if found.waiting:
        write(f"{found.waiting} sampled answers wait for a verdict: `pipelang inbox`\n")
    if not pulled.files and not found.judged:
        write("no verdict to write yet\n")


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _standing(rows: FileRows) -> str:
    """The share in the file then, and how many more rows would say it to three points."""
    from pipelang.statistics.intervals import exact_share

    low, high = exact_share(rows.right, rows.total)
    share = rows.right / rows.total
    said = f"{rows.right} of {rows.total} right: {share:.1%} ({low:.1%} to {high:.1%})"
    need = _needed(share)
    if need > rows.total:
        said += f"; {need - rows.total:,} more make it {share:.0%} ± {ENOUGH:.0%}"
    return said


def _needed(share: float) -> int:
    """Rows after which the exact interval is no wider than six points."""
    from pipelang.statistics.intervals import exact_share

    low, high = 1, 4096
    while low < high:
        middle = (low + high) // 2
        below, above = exact_share(share * middle, middle)
        if above - below <= 2 * ENOUGH:
            high = middle
        else:
            low = middle + 1
    return low


def _write(name: str, text: str) -> None:
    from pipelang.runtime.files.whole_files import write_whole

    try:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(name, text.encode())
    except OSError as error:
        stop(f"`{name}` cannot be written: {error.strerror or error}", FINDINGS)


def _may_be_replaced(name: str) -> None:
    """Whether nothing else than corrections is lost when they are written there anew: an evidence
    file named by mistake was left empty.
    """
    try:
        with Path(name).open("rb") as file:
            first = next((line for line in file if line.strip()), b"{}")
    except FileNotFoundError:
        return
    except OSError as error:
        stop(f"`{name}` cannot be written: {error.strerror or error}", FINDINGS)
    try:
        row = strict_json.loads(first.decode())
    except ValueError:
        row = None
    if not isinstance(row, dict) or (row and not {"case", "step", "corrected"} <= row.keys()):
        help = "name another file: what is there would be lost"
        stop(f"`--corrections {name}`: these are no corrections", USAGE, help)


def _corrections(name: str, judged: list[Judged], quiet: bool) -> None:
    """Write what was wrong, with what would have been right: the negatives of a re-fit."""
    wrong = [one for one in judged if not one.right and one.corrected]
    rows = [
        {
            "case": one.case,
            "step": one.step,
            "input": one.given,
            "answer": one.said,
            "corrected": one.corrected[0],
            "by": ", ".join(one.by),
            "as_of": one.as_of,
        }
        for one in wrong
    ]
    _write(name, "".join(strict_json.line(row) + "\n" for row in rows))
    if not quiet:
        write(f"{name}: {_rows(len(rows))}, wrong answers with the corrected ones\n")


def _json(found: Verdicts, pulled: Pulled) -> None:
    from pipelang.diagnostics.render import dumps

    left: Counter[str] = Counter(found.left_out)
    left.update(pulled.left_out)
    files: list[dict[str, Any]] = [
        {
            "file": rows.file,
            "new": rows.new,
            "known": rows.known,
            "contradicts": rows.differ,
            "sampled": rows.share,
            "right": rows.right,
            "total": rows.total,
            "needed": _needed(rows.right / rows.total) if rows.total else None,
        }
        for rows in pulled.files.values()
    ]
    write(
        dumps(
            {
                "version": 1,
                "files": files,
                "not_counted": dict(left),
                "contradictions": found.contradictions,
                "waiting": found.waiting,
            }
        )
        + "\n"
    )
