"""Steps, their actions and options, and the prompts that they ask.

Every link that asks gets a prompt of its own; `Prompts` names them and keeps their texts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from . import expressions as e
from . import model as m
from .write_text import duration, expression, percent


class Prompts:
    """The prompts of one program, and the pipelines, tools and people that its steps may name."""

    def __init__(self, program: m.Program) -> None:
        self._roles = {role.name for role in program.roles}
        self._texts: list[str] = []

    def texts(self) -> list[str]:
        return self._texts

    def is_person(self, link: m.Link) -> bool:
        return isinstance(link.action, m.Ask) and link.action.by in self._roles

    def add(self, step: str, types: tuple[str, ...]) -> str:
        name = f"prompt_{step}_{len(self._texts)}"
        params = [(f"a{i}", type_) for i, type_ in enumerate(types)]
        head = ", ".join(f"{param}: {type_}" for param, type_ in params)
        body = "".join(f"\n  {variable(param, type_)}" for param, type_ in params)
        self._texts.append(f'prompt {name}({head}) """\n  Answer this.{body}\n"""')
        return name


def variable(name: str, type_: str) -> str:
    """What a template says of a parameter: records are known by their `body`."""
    if type_.startswith("[") and "?" in type_:  # a loop's variable is not narrowed
        return f"{{% if {name} %}}some{{% endif %}}"
    if type_.startswith("["):
        inner = variable("x", type_[1 : type_.rindex("]")])
        return f"{{% for x in {name} %}}{inner}{{% endfor %}}"
    if type_.endswith("?"):
        return f"{{% if {name} %}}{variable(name, type_[:-1])}{{% endif %}}"
    return f"{{{{ {name}.body }}}}" if type_[0].isupper() else f"{{{{ {name} }}}}"


def options(link: m.Link, person: bool) -> str:
    words: list[str] = []
    match link.accuracy:
        case None:
            pass
        case m.FromFile(path=path):
            words.append(f'accuracy from "{path}"')
        case m.ByTier(rates=rates):
            words.append("accuracy " + ", ".join(f"{tier} {percent(p)}" for tier, p in rates))
        case Fraction() as rate:
            words.append(f"accuracy {percent(rate)}")
        case _:
            assert_never(link.accuracy)
    if link.recovers is not None:
        words.append(f"recovers {percent(link.recovers)}")
    if link.correlation is not None:
        words.append(f"correlation {percent(link.correlation)}")
    if link.retry:
        words.append(f"retry {link.retry}")
    words += action_options(link, person)
    match link.vote:
        case m.Vote(of=of, lead=None):
            words.append(f"vote {of}")
        case m.Vote(of=of, lead=lead):
            words.append(f"vote lead {lead} of {of}")
        case None:
            pass
    if link.cache is not None:
        keys = ", ".join(map(expression, link.cache.keys))
        words.append(f"cache 1h by {keys} hits {percent(link.cache.hits)}")
    return f" {{ {' '.join(words)} }}" if words else ""


def action_options(link: m.Link, person: bool) -> list[str]:
    """What goes with the kind of action."""
    if person:
        return [] if link.timeout is None else [f"timeout {duration(link.timeout)}"]
    answers = ["timeout 10s", "output 20 tokens mean, 60 tokens max"]
    match link.action:
        case m.Ask(by=m.Cascade(rates=rates)):
            known = (rates.catches, rates.false_alarms)
            return [*answers, "catches {} false_alarms {}".format(*map(percent, known))]
        case m.Ask():
            return answers
        case m.Agent(steps=steps, turns=turns):
            return [*answers, f"steps {steps} turns {turns}"]
        case m.Call():
            return answers[:1]
        case m.Each(need=need, parallel=parallel):
            words = [] if parallel is None else [f"parallel {parallel}"]
            return [*words, f"need {need if isinstance(need, str) else percent(need)}"]
        case m.RunPipeline() | m.Recall() | m.Pure() | m.Pick():
            return []
        case _:
            assert_never(link.action)


def who(by: m.Who | m.Cascade) -> str:
    match by:
        case str():
            return by
        case m.Route(path=path, arms=arms):
            inner = " ".join(f"{', '.join(members)} => {tier}" for members, tier in arms)
            return f"match {expression(path)} {{ {inner} }}"
        case m.IfRoute(condition=condition, then=then, otherwise=otherwise):
            return f"if {expression(condition)} then {then} else {otherwise}"
        case m.Cascade(tiers=tiers, until=until):
            return f"cascade({', '.join(tiers)}) until {expression(until)}"
        case _:
            assert_never(by)


def link_text(step: str, link: m.Link, prompts: Prompts) -> str:
    return action(step, link, prompts) + options(link, prompts.is_person(link))


def action(step: str, link: m.Link, prompts: Prompts) -> str:
    match link.action:
        case m.Ask(args=args, params=params, by=by):
            return f"ask {prompts.add(step, params)}({listed(args)}) by {who(by)}"
        case m.Agent(args=args, params=params, by=by, tools=tools):
            call = f"agent {prompts.add(step, params)}({listed(args)}) by {who(by)}"
            return f"{call} with {', '.join(tools)}"
        case m.Call(tool=tool, args=args):
            return f"call {tool}({listed(args)})"
        case m.RunPipeline(pipeline=pipeline, args=args):
            return f"run {pipeline}({listed(args)})"
        case m.Recall(memory=memory, key=key):
            return f"recall {memory}({expression(key)})"
        case m.Each(element=element, over=over, ordered=ordered) as each:
            body = " ".join(chain(step, each.links, each.otherwise, prompts))
            word = " ordered" if ordered else ""
            return f"each {element} in {expression(over)}{word} {{ {body} }}"
        case m.Pick(path=path, arms=arms):
            inner = " ".join(
                f"{', '.join(members)} => {link_text(step, chosen, prompts)}"
                for members, chosen in arms
            )
            return f"match {expression(path)} {{ {inner} }}"
        case m.Pure(expr=expr):
            return expression(expr)
        case _:
            assert_never(link.action)


def listed(args: tuple[e.Expr, ...]) -> str:
    return ", ".join(map(expression, args))


def chain(
    step: str, links: tuple[m.Link, ...], otherwise: m.Outcome | None, prompts: Prompts
) -> list[str]:
    first, *others = [link_text(step, link, prompts) for link in links]
    lines = [first, *(f"  else {link}" for link in others)]
    if otherwise is not None:
        lines.append(f"  else {outcome(otherwise)}")
    return lines


def step_lines(step: m.Step, prompts: Prompts) -> list[str]:
    first, *others = chain(step.name, step.links, step.otherwise, prompts)
    return [f"step {step.name}: {step.type} = {first}", *others]


def outcome(end: m.Outcome) -> str:
    match end:
        case m.Return(value=value):
            return f"return {expression(value)}"
        case m.Escalate(role=role, attached=attached):
            text = f'escalate to {role} "over to you"'
            return text if attached is None else f"{text} with {expression(attached)}"
        case m.Reject():
            return 'reject "no"'
        case m.Fail(code=code):
            return f'fail "{code}"'
        case _:
            assert_never(end)
