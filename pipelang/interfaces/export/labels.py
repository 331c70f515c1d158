"""The texts of a graph's nodes: actions, conditions and outcomes in a few words."""

from __future__ import annotations

from typing import Any, assert_never

from pipelang.interfaces.text.number_format import listed, money, times
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.quantities import show_duration, show_share, show_value
from pipelang.semantics.types import EnumType, Type, show

_TIGHTNESS = {"or": 1, "and": 2, "not": 3, "compare": 4, "+": 5, "-": 5, "*": 6, "/": 6}
_FLIPPED = {"<": ">", "<=": ">=", "==": "=="}


def words_of(node: expr.Expr, around: int = 0) -> str:
    """An expression as one would write it, with the parentheses that it needs.

    Comparisons were turned into `==`, `<` and `<=`; here the constant stands on the right again.
    """
    match node:
        case expr.Logic():
            level = _TIGHTNESS[node.op]
            left, right = words_of(node.left, level), words_of(node.right, level + 1)
            return _wrapped(f"{left} {node.op} {right}", level, around)
        case expr.Not(operand=expr.Compare(op="==") as same):
            return _wrapped(_comparison(same, "!="), _TIGHTNESS["compare"], around)
        case expr.Not(operand=expr.Member() as member):
            return _wrapped(_member(member, "not in"), _TIGHTNESS["compare"], around)
        case expr.Not():
            level = _TIGHTNESS["not"]
            return _wrapped(f"not {words_of(node.operand, level)}", level, around)
        case expr.Compare():
            return _wrapped(_comparison(node, node.op), _TIGHTNESS["compare"], around)
        case expr.Member():
            return _wrapped(_member(node, "in"), _TIGHTNESS["compare"], around)
        case expr.Matches():
            text = f"{words_of(node.text, 5)} matches {node.patterns}"
            return _wrapped(text, _TIGHTNESS["compare"], around)
        case expr.Arithmetic():
            level = _TIGHTNESS[node.op]
            left, right = words_of(node.left, level), words_of(node.right, level + 1)
            return _wrapped(f"{left} {node.op} {right}", level, around)
        case expr.Choice():
            parts = map(words_of, (node.condition, node.then, node.otherwise))
            return _wrapped("if {} then {} else {}".format(*parts), 0, around)
        case expr.Select():
            arms = ", ".join(
                f"{values_of(v, node.subject.type)}: {words_of(e)}" for v, e in node.arms
            )
            return f"match {words_of(node.subject)} {{{arms}}}"
        case expr.Const() if not node.setting and isinstance(node.value, str):
            # A tier, a role or the member of an enum is a name; only a text has quotes.
            if isinstance(node.type, EnumType):
                return node.type.name_of(node.value)
            known = show(node.type) != "text"
            return node.value if known else show_value(node.value, node.type)
        case expr.Apply() | expr.Builtin():
            return f"{node.function}({', '.join(map(words_of, node.arguments))})"
        case expr.MakeList():
            return f"[{', '.join(map(words_of, node.items))}]"
        case expr.MakeRecord():
            return "{" + ", ".join(f"{name}: {words_of(e)}" for name, e in node.fields) + "}"
        case _:
            return expr.show(node)


def _wrapped(text: str, level: int, around: int) -> str:
    return f"({text})" if level < around else text


def _comparison(node: expr.Compare, op: str) -> str:
    left, right = node.left, node.right
    if isinstance(left, expr.Const) and not isinstance(right, expr.Const):
        left, right, op = right, left, _FLIPPED.get(op, op)
    return f"{words_of(left, 5)} {op} {words_of(right, 5)}"


def _member(node: expr.Member, op: str) -> str:
    return f"{words_of(node.item, 5)} {op} {words_of(node.collection, 5)}"


def values_of(values: tuple[Any, ...] | None, type: Type) -> str:
    """The values of an arm of a match, as text."""
    if values is None:
        return "else"
    if isinstance(type, EnumType):
        return ", ".join(type.name_of(str(value)) for value in values)
    return ", ".join(show_value(value, type) for value in values)


def action_lines(program: p.Program, link: p.Link) -> tuple[str, ...]:
    """Lines on a link: its action and the number of its attempts."""
    tries = link.retry.count + 1
    more = []
    match link.vote:
        case None:
            pass
        case p.Majority():
            more.append(f"majority of {link.vote.calls} answers")
        case p.Lead():
            more.append(f"until one answer leads by {link.vote.lead} of {link.vote.calls}")
        case _:
            assert_never(link.vote)
    if tries > 1:
        more.append(f"up to {times(tries)}")
    if link.timeout is not None and tries > 1:
        more.append(f"{show_duration(link.timeout)} each")
    elif link.timeout is not None:
        more.append(f"within {show_duration(link.timeout)}")
    return (*_doing(program, link.action), *([", ".join(more)] if more else []))


def _doing(program: p.Program, action: p.Action) -> tuple[str, ...]:
    match action:
        case p.AskTier():
            return (f"ask {action.prompt} by {_route(action.who)}",)
        case p.AskRole():
            return (f"ask {action.prompt} by {action.role}",)
        case p.Cascade():
            tiers = listed(action.tiers, "then")
            verb = "ask" if action.agent is None else "agent"
            loop = () if action.agent is None else _loop(action.agent)
            until = f"until {words_of(action.until)}"
            return (f"{verb} {action.prompt} by {tiers}", until, *loop)
        case p.Call():
            return (f"call {action.tool}", program.tools[action.tool].effect)
        case p.Value():
            return (words_of(action.value),)
        case p.Choose():
            type = action.subject.type
            arms = [
                f"{values_of(values, type)}: {', '.join(action_lines(program, link))}"
                for values, link in action.arms
            ]
            return (f"by {words_of(action.subject)}", *arms)
        case p.Agent():
            return (f"agent {action.prompt} by {_route(action.who)}", *_loop(action))
        case p.RunPipeline():
            return (f"run {action.pipeline}",)
        case p.Recall():
            return (f"recall {action.memory}({words_of(action.key)})",)
        case p.Each():
            links = [action_lines(program, link) for link in action.body.links]
            return (_each(action), *(", else ".join(map(", ".join, links)),))
        case p.Broken():
            return ("something that could not be read",)
        case _:
            assert_never(action)


def _loop(agent: p.Agent) -> tuple[str, ...]:
    tools = listed([*agent.tools, *agent.pipelines], "and")
    return (f"with {tools}", f"up to {agent.steps} turns")


def _each(each: p.Each) -> str:
    ordered = " in order" if each.ordered else ""
    share = each.need.share
    needed = {"all": "", "any": ", any of them"}.get(each.need.kind, "")
    if share is not None:
        needed = f", {show_share(share)} of them"
    return f"each {each.variable} in {words_of(each.elements)}{ordered}{needed}"


def _route(who: expr.Expr) -> str:
    if isinstance(who, expr.Select):
        arms = ", ".join(
            f"{words_of(tier)} if {values_of(values, who.subject.type)}"
            if values is not None
            else f"else {words_of(tier)}"
            for values, tier in who.arms
        )
        return f"{words_of(who.subject)}: {arms}"
    return words_of(who)


def outcome_label(outcome: p.Outcome) -> tuple[str, tuple[str, ...]]:
    """Title and lines of an outcome."""
    match outcome:
        case p.Return():
            return "answered", (words_of(outcome.value),)
        case p.Escalate():
            extra = () if outcome.value is None else (f"with {words_of(outcome.value)}",)
            return f"escalated to {outcome.role}", (_reason(outcome.reason, outcome.text), *extra)
        case p.Reject():
            return "rejected", (_reason(outcome.reason, outcome.text),)
        case p.Fail():
            return "failed", (outcome.code,)
        case _:
            assert_never(outcome)


def _reason(name: str, text: str | None) -> str:
    return f"{name}: {text}" if text else name


def person_lines(person: p.Person) -> tuple[str, ...]:
    """Lines on a hold or an approval: the role, the time limit, the condition, what is shown."""
    limit = None if person.seconds is None else show_duration(person.seconds)
    if person.kind == "hold":
        lines = [f"for {limit or 'ever'} by {person.role}"]
    else:
        lines = [f"by {person.role}" + (f" within {limit}" if limit else "")]
    if person.when is not None:
        lines.append(f"when {words_of(person.when)}")
    if person.showing is not None:
        lines.append(f"showing {words_of(person.showing)}")
    return tuple(lines)


def signature(pipeline: p.Pipeline) -> tuple[str, ...]:
    """A line with the parameters and the result type of a pipeline."""
    given = [f"{parameter.name}: {show(parameter.type)}" for parameter in pipeline.parameters]
    return (f"({', '.join(given)}) → {show(pipeline.returns)}",)


def quota_words(quota: p.Quota) -> str:
    return f"quota {', '.join(limit.text for limit in quota.limits)}"


def budget_words(budget: p.Budget) -> str:
    parts = []
    if budget.money is not None:
        parts.append(money(float(budget.money)))
    if budget.seconds is not None:
        parts.append(show_duration(budget.seconds))
    if budget.tokens is not None:
        parts.append(f"{budget.tokens:,} tokens")
    if budget.steps is not None:
        parts.append(f"{budget.steps:,} steps")
    return f"budget {', '.join(parts)}"
