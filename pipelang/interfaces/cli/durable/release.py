"""`pipelang release`: puts a version of a program out, for all runs or for some."""

from __future__ import annotations

from pathlib import Path

import click

from pipelang.interfaces.cli.durable.opening import opened, store_option
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.inbox import user
from pipelang.interfaces.cli.options.quantities import Duration, ShareOption
from pipelang.interfaces.cli.programs import load_program, pick_pipeline, stop
from pipelang.interfaces.cli.terminal import warn, write
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder
from pipelang.interfaces.text.number_format import plural


@click.command(name="release", short_help="Put a version of a pipeline out, or a canary of it.")
@click.argument("file")
@click.argument("pipeline", required=False)
@store_option()
@click.option("--as", "version", metavar="NAME", required=True, help="The version, such as v12.")
@click.option("--for", "purpose", metavar="TEXT", required=True, help="What it is to better.")
@click.option("--canary", type=ShareOption(), help="Only for this share of the runs, by their key.")
@click.option("--guard", "guards", metavar="METRICS", help="Takes a canary back.")
@click.option("--within", type=Duration(), default="14d", help="The longest a guard may need.")
@click.option("--by", help="Who releases. Default: the user of this machine.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of the audit log.")
def command(
    file: str,
    pipeline: str | None,
    store: str,
    version: str,
    purpose: str,
    canary: float | None,
    guards: str | None,
    within: float,
    by: str | None,
    state: str,
) -> None:
    """Release PIPELINE of FILE into a store under a name: from then on runs that are submitted with
    any of its released versions are of this one, or with --canary this share of them, by thread,
    else key. What has begun goes on with its program.

    --guard "silent_error, escalation + 20%, cost.mean" takes a canary back by itself when it is
    worse. Guards on silent errors judge labels, and are refused where too few come --within.

    Exit code 0, 1 if it is refused, 2 on wrong usage, 3 if the store cannot be reached.
    """
    from pipelang.interfaces.releases.plan import (
        NoPlan,
        read_guards,
        signature_of,
        with_label_plans,
    )

    for option, words in (("--as", version), ("--for", purpose), ("--by", by)):
        is_said(option, words)
    if canary is not None and not 0 < canary < 1:
        stop("--canary is a share of the runs, such as 10%", USAGE)
    if guards is not None and canary is None:
        stop("--guard takes back a canary: say --canary 10%", USAGE)
    loaded = load_program(file).loaded
    name = pick_pipeline(loaded, file, pipeline)
    found = loaded.program.pipelines[name]
    who = by or user()
    if who is None:
        stop("this machine has no name for you: say who releases with --by NAME", USAGE)
    with opened(store, make=True) as ready:
        from pipelang.runtime.durable import programs
        from pipelang.runtime.durable.versions import releases

        try:
            asked = [] if guards is None else read_guards(guards, loaded.program, found)
            plan = None
            current = next(
                (one for one in releases.releases(ready, name) if one.state == releases.CURRENT),
                None,
            )
            if canary is not None and current is not None and asked:
                asked, plan = with_label_plans(
                    asked, ready, loaded.program, found, current, canary, within / 86_400
                )
        except NoPlan as refused:
            why, help = refused.args
            stop(why, FINDINGS, help)
        made = releases.Release(
            name,
            version,
            loaded.hash,
            signature_of(found),
            releases.CURRENT if canary is None else releases.CANARY,
            1.0 if canary is None else canary,
            tuple(asked),
            purpose,
            who,
            0.0,
            0.0,
        )
        releases.release(ready, made, purpose)
        with ready.transaction() as connection:
            programs.keep(connection, loaded.program, ready.now_on(connection))
        noted(state, name, version, made.state, who, purpose)
        share = "" if canary is None else f" for {canary:.0%} of the runs"
        write(f"{version} of `{name}` is out{share}: program {loaded.hash[:12]}\n")
        if plan is not None:
            write(
                f"silent errors: judged at {plural(plan.needed, 'label')} of the canary, after "
                f"{plan.days:.1f} days; {plan.ideal:,} is what the best test needs on average to "
                f"tell {plan.share:.1%} from {2 * plan.share:.1%}\n"
            )
        workers = ready.rows("SELECT queues FROM pipelang_workers")
        if not any(f":{name}" in one["queues"] for one in workers):
            warn("note: no worker is up that does runs of this pipeline")


def is_said(option: str, text: str | None) -> None:
    """End the command if an option that stands in the log says nothing, or cannot be read there."""
    if text is not None and (not text.strip() or not text.isprintable()):
        stop(f"{option} is a text that can be read, on one line", USAGE)


def noted(state: str, pipeline: str, version: str, act: str, by: str, why: str) -> None:
    """Write who did what with a release into the audit log of the state folder."""
    from pipelang.runtime.sinks.audit import AuditLog

    folder = StateFolder(Path(state))
    try:
        folder.prepare()
        log = AuditLog(folder.audit)
        log.append(
            "release", version, None, None, {"pipeline": pipeline, "act": act, "by": by, "why": why}
        )
    except OSError as error:
        warn(f"note: no audit log was written: {error}")
