"""`pipelang approve`: a person's word: yes, no, or an answer."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.check.disk_loader import input_text
from pipelang.interfaces.cli.inbox import REFUSED, inbox_at, place_option, user, waiting
from pipelang.interfaces.cli.options.names import PlainName
from pipelang.interfaces.cli.options.quantities import Duration, ShareOption
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import wants_colour, write
from pipelang.interfaces.runs.state_folder import DEFAULT
from pipelang.interfaces.text.colours import painter
from pipelang.runtime.files import strict_json
from pipelang.semantics.loader import Unreadable

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pipelang.runtime.inbox.cases import Case
    from pipelang.runtime.inbox.inbox import Inbox


@click.command(name="approve", short_help="Answer what waits: yes, no, or an answer.")
@click.argument("case")
@click.option("--no", is_flag=True, help="No: a veto for a hold; for an ask, that you will not.")
@click.option("--answer", "given", metavar="JSON|@FILE", help="The answer, or the corrected one.")
@click.option("--reason", default="", help="Why; for an escalation, what was done.")
@click.option("--sure", type=ShareOption(), help="How sure you are of a verdict, such as 90%.")
@click.option("--took", type=Duration(), help="How long a verdict took, such as 40s.")
@click.option("--by", type=PlainName(), help="Who decides. Default: the user of this machine.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of the inbox.")
@click.option("--store", metavar="URL", help="The store of durable runs, instead of a folder.")
def command(
    case: str,
    no: bool,
    given: str | None,
    reason: str,
    sure: float | None,
    took: float | None,
    by: str | None,
    state: str,
    store: str | None,
) -> None:
    """Say yes to CASE (its id, or how it begins), or with --no no; answer an ask with --answer;
    close an escalation with a --reason. Of a sampled answer it says that it is right, --no that it
    is wrong, --answer what it should have been. A case is decided once.

    Exit code 0 when decided, 1 when refused (the reason is told), 2 on wrong usage.
    """
    if no and given is not None:
        stop("--no and --answer exclude each other")
    who = by if by is not None else _user()
    answer = None if given is None else _answer(given)
    with inbox_at(state, store) as inbox:
        if sure is not None or took is not None:
            work = inbox.label(
                case,
                right=not no and given is None,
                by=who,
                answer=answer,
                answered=given is not None,
                sure=sure,
                seconds=took,
                reason=reason,
            )
        elif given is None:
            work = inbox.decide(case, yes=not no, by=who, reason=reason)
        else:
            work = inbox.answer(case, answer, by=who, reason=reason)
        _carry_out(inbox, case, work, place_option(state, store))


def _carry_out(inbox: Inbox, case: str, work: Coroutine[Any, Any, Case], option: str) -> None:
    """Do what a person said, and tell that it counts; ends the command if it does not."""
    from pipelang.runtime.inbox.cases import InboxBroken, Refused, verdict_words

    try:
        closed = asyncio.run(work)
    except Refused as refused:
        stop(str(refused), REFUSED, _help(inbox, case, option))
    except InboxBroken as broken:
        stop(str(broken), REFUSED)
    assert closed.verdict is not None
    paint = painter(wants_colour(sys.stdout))
    style = "good" if closed.verdict.yes else "unsure"
    said = paint(f"{closed.verdict.by} {verdict_words(closed)}", style)
    write(f"{said}: {closed.pipeline}/{closed.name}, for {closed.role} (case {closed.id})\n")


def _help(inbox: Inbox, case: str, option: str) -> str | None:
    """The way on after a refusal: to the case, if there is one, else to those that wait."""
    from pipelang.runtime.inbox.cases import InboxBroken, Refused

    try:
        found = inbox.case(case)
    except Refused:
        return waiting(inbox)
    except InboxBroken:
        return None
    return f"`pipelang inbox {found.id}{option}` shows the case"


def _user() -> str:
    found = user()
    if found is None:
        stop("this machine has no name for you: say who decides with --by NAME")
    return found


def _answer(given: str) -> Any:
    """The answer, from the line or a file."""
    text, where = given, "--answer"
    if given.startswith("@"):
        where = f"`{given[1:]}`"
        try:
            text = input_text(given[1:])
        except FileNotFoundError:
            stop(f"there is no file {where}")
        except (OSError, Unreadable) as error:
            stop(f"{where} cannot be read: {error}")
    try:
        return strict_json.loads(text)
    except strict_json.DuplicateKey as error:
        stop(f"{where}: {error}")
    except json.JSONDecodeError as error:
        help = f"a text stands in quotes: --answer '{json.dumps(text, ensure_ascii=False)}'"
        place = f"line {error.lineno}, column {error.colno}"
        stop(f"{where} is no JSON: {error.msg} at {place}", help=help if text == given else None)
    except (RecursionError, ValueError):
        stop(f"{where} is no JSON that can be read")
