"""Undeclared parameters, with lines to paste.

An unknown parameter is known by its site (see `semantics.chance`). Its site says where its number
would stand: in a provider, a tier, a tool, a role, a step's options, a gate, or `traffic`. The
figures in the lines are placeholders, which the report says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelang.analysis.model.model import confidence_cut
from pipelang.analysis.model.parameters import without_limit
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.sections.basis import WORDS
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.hard import HARD
from pipelang.semantics.types import EnumType
from pipelang.semantics.walk import all_items, once

LONG = 40
"""Lines longer than this leave no room for the words beside them."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An undeclared figure: the place and the line to paste, and what the figure means."""

    where: str
    line: str
    why: str


_SHARES = {
    "available": ("available 99.9%", "how much of the time it is up"),
    "transient": ("transient 0.5%", "calls that fail although it is up"),
    "succeeds": ("succeeds 99.9%", "calls that return without an error"),
    "responds": ("responds 15m median, 2h p95", "how soon they answer"),
    "correlation": ("correlation 30%", "how often a new answer repeats the former one's fault"),
    "catches": ("catches 60%", "how many wrong values it stops"),
    "false_alarms": ("false_alarms 5%", "how many right values it stops"),
    "hits": ("hits 30%", "how many answers are in the cache"),
    "turns": ("turns 3", "how many calls of the model it typically takes"),
}
ACCURACY = "accuracy 95%"
AT_A_TURN = "at how many of the agent's turns it holds"
_STEP = re.compile(r"^(?P<name>\w+)\[(?P<link>\d+)\]@\d+\.(?P<word>\w+)$")
_TEST = re.compile(r"^(?P<test>.*) if (?:right|wrong)(?:\[\d+\])?$", re.DOTALL)
_TURNS = re.compile(r"^(?P<step>\w+)@\d+\.turns\[\d+\]$")
_LEFT = re.compile(r"^\w+@\d+\.left:(?P<test>.*?)(?:@\d+)?\[\d+\]$", re.DOTALL)
_TOOLS = re.compile(r"^.*@\d+\.tools\[\d+\]$")
_LENGTH = re.compile(r"^(?P<list>.*)\.length if (?:right|wrong)(?:\[\d+\])?$", re.DOTALL)
_ROWS = re.compile(r"^(?P<file>.*):(?P<kind>right|wrong)\[\d+\]$", re.DOTALL)


def undeclared(view: View, most: int | None = None) -> list[str]:
    """A line to paste for whatever is missing; `most` is how many there is room for."""
    found = missing(view)
    if not found:
        return []
    more = 0 if most is None else max(0, len(found) - most)
    found = found[: len(found) - more] if more > 1 else found
    room = all(len(one.line) <= LONG for one in found)
    rows: list[Row] = [
        [one.where, one.line, Cell(f"# {one.why}" if one.why and room else "", "dim")]
        for one in found
    ]
    head = view.heading("Declare these, and the numbers follow")
    lines = lay_out(rows, "<<<", view.paint, width=view.width, whole=True)
    if more > 1:
        lines.append(view.paint(f"  and {more:,} more lines (--verbose shows them)", "dim"))
    return [head, *lines, *(view.paint(line, "dim") for line in wrap(NOTE, view.width, 2))]


NOTE = (
    "The figures are placeholders: put in your own. Counted ones (`accuracy 1128 of 1200`) and "
    'measured ones (`from "FILE.jsonl"`) also tell how sure the results are.'
)


def place_of(view: View, site: str) -> str:
    """An unknown in words: `the accuracy of step kind`."""
    one = next(_missing(view, site), None)
    if one is None:
        return f"`{site.split('@')[0]}`"
    word = one.line.split(" ")[0].rstrip(":")
    if one.where == "traffic":
        return f"the share of `{one.line.rpartition(': ')[0]}`"
    return f"`{word}` of {one.where}"


def missing(view: View) -> list[Missing]:
    """One entry for every line that is to be written, those of one place together. A figure that
    changes nothing is not asked for.
    """
    found: dict[Missing, None] = {}
    for site in view.unknown:
        for one in _missing(view, site):
            found[one] = None
    measured = {one.where for one in found if one.line.startswith("accuracy from")}
    wanted = [one for one in found if one.where not in measured or one.line != ACCURACY]
    places = list(dict.fromkeys(one.where for one in wanted))
    return sorted(wanted, key=lambda one: places.index(one.where))


def _missing(view: View, site: str) -> Iterator[Missing]:
    name = view.pipeline.name
    # A sub-pipeline's step is declared there.
    inner = next((one for one in view.program.pipelines if site.startswith(f"{one}.")), name)
    step = _STEP.match(site.removeprefix(f"{inner}."))
    if step is not None:
        one = _of_step(step["name"], int(step["link"]), step["word"])
        yield _in(inner, name, one)
        return
    if _TOOLS.match(site):
        return  # what an agent does with the pipelines among its tools cannot be declared
    turns = _TURNS.match(site.removeprefix(f"{inner}."))
    if turns is not None:
        yield _in(inner, name, _of_step(turns["step"], 0, "turns"))
        return
    left = _LEFT.match(site.removeprefix(f"{inner}."))
    if left is not None:
        one = replace(_of_test(view.program.pipelines[inner].block, left["test"]), why=AT_A_TURN)
        yield _in(inner, name, one)
        return
    said = next((one for one in view.program.pipelines if site.startswith(f"{one}:")), None)
    if said is not None:
        length = _LENGTH.match(site.removeprefix(f"{said}:"))
        if length is not None:
            one = Missing("traffic", f"{length['list']}.length: 3 mean", "how many it has")
            yield _in(said, name, one)
            return
        test = _TEST.match(site.removeprefix(f"{said}:"))
        if test is not None:
            yield _in(said, name, _of_test(view.program.pipelines[said].block, test["test"]))
            return
    rows = _ROWS.match(site)
    if rows is not None:
        truth = "true" if rows["kind"] == "right" else "false"
        why = f"it has no {rows['kind']} answer, so nothing says how sure those look"
        yield Missing(rows["file"], f'{{"confidence": ..., "correct": {truth}}}', why)
        return
    if site == HARD:
        yield Missing("traffic", "hard: 10%", "how many of the inputs are hard")
        return
    owner, _, word = site.rpartition(".")
    if word in WORDS:
        yield _of_declaration(view, without_limit(owner), word)
        return
    yield Missing("traffic", f"{site}: 90%", "")


def _in(pipeline: str, name: str, one: Missing) -> Missing:
    """The same in the words of another pipeline than the one that is reported on."""
    return one if pipeline == name else replace(one, where=f"{pipeline}, {one.where}")


def _of_step(name: str, link: int, word: str) -> Missing:
    where = f"step {name}" if not link else f"step {name}, else {link}"
    if word != "accuracy":
        line, why = _SHARES.get(word, (f"{word} 10%", ""))
        return Missing(where, line, why)
    return Missing(where, ACCURACY, "how often it is right")


def _of_declaration(view: View, owner: str, word: str) -> Missing:
    program = view.program
    gate = owner.removeprefix(f"{view.pipeline.name}.")
    line, why = _SHARES.get(word, (f"{word} 98%", "how often they are right"))
    if word in ("catches", "false_alarms"):
        return Missing(f"gate {gate}", line, why)
    if word == "available":
        provider = program.providers.get(owner)
        if provider is not None and not provider.span.file:
            whole = f"provider {owner} {{ kind anthropic {line} }}"
            return Missing("the file", whole, why)
    for kind, known in (
        ("provider", program.providers),
        ("tier", program.tiers),
        ("tool", program.tools),
        ("role", program.roles),
    ):
        if owner in known:
            if kind == "tool" and word == "accuracy":
                why = "how often what it returns is right"
            file = known[owner].span.file
            where = f"{kind} {owner}"
            return Missing(where if file == program.file else f"{where} in {file}", line, why)
    return Missing(owner, line, why)


def _of_test(block: p.Block, shown: str) -> Missing:
    """A line for a test that nobody said anything about."""
    holder, node = _find(block, shown)
    if isinstance(node, expr.Compare):
        cut = confidence_cut(node)
        if cut is not None:
            line = f'accuracy from "evals/{cut[0]}.jsonl"'
            return Missing(f"step {cut[0]}", line, "how often it is right, and how sure")
    path = None if node is None else expr.path_of(node)
    if node is not None and path is not None and isinstance(node.type, EnumType):
        members = node.type.written
        even, rest = divmod(100, len(members))
        shares = [f"{m} {even + (i < rest)}%" for i, m in enumerate(members)]
        return Missing("traffic", f"{shown}: {', '.join(shares)}", "how often each")
    if path is not None:
        return Missing("traffic", f"{shown}: 10%", "how often it is true")
    name = shown if holder is None else holder
    if name.endswith(" tokens"):
        name = f"({name})"  # before a colon it would be read as a name
    if node is not None and not _reads_steps(block, node):
        return Missing("traffic", f"{name}: 90%", "how often it holds")
    return Missing("traffic", f"{name}: 90% if right, 60% if wrong", "how often it holds")


Found = tuple[str | None, expr.Expr | None]


def _find(block: p.Block, shown: str) -> Found:
    """The expression that is shown so, and the name of the gate or branch that is just it."""
    return once(block, _as_shown).get(shown, (None, None))


def _as_shown(block: p.Block) -> dict[str, Found]:
    found: dict[str, Found] = {}
    lets: dict[str, expr.Expr] = {}
    for item in all_items(block):
        if isinstance(item, p.Let):
            lets[item.name] = expr.substitute(item.value, lets)
            continue
        for name, condition in _conditions(item):
            whole = expr.substitute(condition, lets)
            for part in expr.walk(whole):
                found.setdefault(expr.show(part), (name if part is whole else None, part))
    return found


def _conditions(item: p.Item) -> Iterator[tuple[str | None, expr.Expr]]:
    match item:
        case p.Gate() | p.When():
            yield item.name, item.condition
        case p.Person():
            if item.when is not None:
                yield None, item.when
        case p.MatchBranch():
            yield None, item.subject
        case p.Step():
            for link in item.chain.links:
                if isinstance(link.action, (p.AskTier, p.Agent)):
                    yield None, link.action.who
                elif isinstance(link.action, p.Choose):
                    yield None, link.action.subject
        case _:
            pass


def _reads_steps(block: p.Block, node: expr.Expr) -> bool:
    made = {item.name for item in all_items(block) if isinstance(item, (p.Step, p.Let))}
    return bool(expr.mentions(node) & made)
