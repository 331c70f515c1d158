"""The section on work: which limits were reached, and where the work went."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.model.work_limit import Reached, WorkPart
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed

MOST_PLACES = 3


def work(view: View) -> list[str]:
    """The limits that were reached, a line each; nothing where all of it was worked out."""
    said = work_words(view)
    if not said:
        return []
    head = view.heading("Where the work went")
    return [head, *(line for one in said for line in wrap(one, view.width, 2))]


def work_words(view: View) -> list[str]:
    """The same in sentences."""
    reached = view.analysis.reached
    if not reached:
        return []
    found = [_of(part, [one for one in reached if one.part is part]) for part in WorkPart]
    if view.analysis.late:
        end = "the clock ended it, so another machine may say more (`--time-limit` gives it longer)"
    else:
        end = "what did not fit is bounds; `--time-limit` gives it more"
    return [*(said for said in found if said), end]


def _of(part: WorkPart, found: list[Reached]) -> str:
    if not found:
        return ""
    first = found[0]
    numbers = f"{first.wanted:,} {part.value}, of which {first.limit:,} fit"
    match part:
        case WorkPart.STATES:
            return f"too much is alive at once at {listed(list(_places(found)))}"
        case WorkPart.GRID:
            return f"the range over what nobody declared wants {numbers}"
        case WorkPart.DRAWS:
            return f"intervals want {numbers}"
        case WorkPart.TIMES:
            return f"the walk of times and amounts wants {numbers}"


def _places(found: list[Reached]) -> Iterator[str]:
    for one in found[:MOST_PLACES]:
        yield f"`{one.where}` ({one.wanted:,} states, of which {one.limit:,} fit)"
    if len(found) > MOST_PLACES:
        yield f"{len(found) - MOST_PLACES:,} more places"
