"""Which constructs a program of several pipelines holds: those of `constructs`, and the others."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from . import expressions as e
from . import model as m
from .constructs import Survey
from .generate_wide import pipelines_of
from .lookup import Lookup
from .traverse import all_items, all_links, condition_of, inner_links, steps_of


def wide_constructs(program: m.Program) -> frozenset[str]:
    found: set[str] = set()
    for pipeline in pipelines_of(program):
        found |= set(Survey(program, pipeline).found())
        found |= set(in_pipeline(program, pipeline))
    found |= set(across(program))
    return frozenset(found)


def in_pipeline(program: m.Program, pipeline: m.Pipeline) -> Iterator[str]:
    lookup = Lookup(program, pipeline)
    redone: set[str] = set()
    for item in all_items(pipeline.items):
        if isinstance(item, m.Gate | m.Approve) and item.redo is not None:
            redone.add(item.redo.step)
        if isinstance(item, m.Remember):
            yield "remember"
    for step in steps_of(pipeline.items):
        links = list(all_links(step.links))
        for number, link in enumerate(step.links):
            if number and not isinstance(link.action, m.Ask | m.Call | m.Pure):
                yield f"{word(link)} as a fallback"
        for link in links:
            yield word(link)
            yield from in_link(link, lookup)
            if step.name in redone:
                yield from (f"redo of a step: {kind}" for kind in kinds(link))
    for share in pipeline.shares:
        if share.path.field == "?":
            yield "presence has a share"


def word(link: m.Link) -> str:
    match link.action:
        case m.RunPipeline():
            return "run"
        case m.Ask(by=m.Cascade()):
            return "cascade"
        case m.Pick():
            return "match over actions"
        case action:
            return type(action).__name__.lower()


def kinds(link: m.Link) -> Iterator[str]:
    """What a redo of a plain step would not have."""
    if link.vote is not None:
        yield "vote"
    if link.cache is not None:
        yield "cached"
    if word(link) not in ("ask", "call", "pure"):
        yield word(link)


def in_link(link: m.Link, lookup: Lookup) -> Iterator[str]:
    if link.vote is not None:
        yield "vote" if link.vote.lead is None else "vote lead"
    if link.cache is not None:
        yield "cache"
        if kind := [x for x in kinds(link) if x != "cached"]:
            yield f"cached {kind[0]}"
    if condition_of(link) is not None:
        yield "route by if"
    if isinstance(link.action, m.Ask) and link.action.by in lookup.roles:
        yield "asked of people"
        if link.timeout is not None:
            yield "asked of people, with a timeout"
    if isinstance(link.action, m.RunPipeline):
        if link.retry:
            yield "run retried"
        if lookup._acts(link.action):
            yield "run that acts"
        if any(isinstance(arg, e.Constant | e.RecordOf | e.ListOf) for arg in link.action.args):
            yield "run of a literal"
        if any(isinstance(arg, e.Choice) for arg in link.action.args):
            yield "run of a computed record"
    if isinstance(link.action, m.Each):
        yield from in_each(link.action, lookup)


def in_each(each: m.Each, lookup: Lookup) -> Iterator[str]:
    yield "each ordered" if each.ordered else "each side by side"
    yield "each: need a share" if isinstance(each.need, Fraction) else f"each: need {each.need}"
    if each.otherwise is not None:
        yield "each: an element may end the run"
    if len(each.links) > 1:
        yield "each: fallbacks"
    if any(link.retry for link in each.links):
        yield "each: retries"
    literal = isinstance(each.over, e.ListOf)
    if isinstance(each.over, e.Path) and each.over.value in lookup.lets:
        literal = True
    yield "each: a literal's length" if literal else "each: a length from traffic"
    for link in all_links(each.links):
        yield f"each of {word(link)}"
        if lookup._acts(link.action):
            yield "each that acts"
        if any(inner_links(link)):
            yield "each of nested actions"
    if any(path.value == each.element for path in lookup.shares):
        yield "each: traffic of the element"


def across(program: m.Program) -> Iterator[str]:
    """What hangs on more than one pipeline."""
    by_name = {child.name: child for child in program.children}
    shaky = {one.name for one in program.providers if one.available < 1}
    for pipeline in pipelines_of(program):
        called: list[str] = []
        asked = {step.name: providers(program, (step,)) for step in steps_of(pipeline.items)}
        for step in steps_of(pipeline.items):
            others = set[str]().union(
                *(found for name, found in asked.items() if name != step.name)
            )
            runs = any(isinstance(link.action, m.RunPipeline) for link in all_links(step.links))
            if runs and asked[step.name] & others & shaky:
                yield "run: an outage shared with what is beside it"
        for step in steps_of(pipeline.items):
            for link in all_links(step.links):
                if not isinstance(link.action, m.RunPipeline):
                    continue
                child = by_name[link.action.pipeline]
                called.append(child.name)
                inner = [x for s in steps_of(child.items) for x in all_links(s.links)]
                if any(isinstance(x.action, m.RunPipeline) for x in inner):
                    yield "run two deep"
                if any(isinstance(item, m.Gate) for item in all_items(child.items)):
                    yield "run with gates"
                if child.shares:
                    yield "run with traffic of its own"
                yield from shared_words(pipeline, child, link.action)
        if len(set(called)) < len(called):
            yield "several runs of one child"


def providers(program: m.Program, items: tuple[m.Item, ...]) -> set[str]:
    """Whose outages the steps in some items hang on, through the pipelines that they run."""
    behind = {tier.name: tier.provider for tier in program.tiers}
    children = {child.name: child for child in program.children}
    found: set[str] = set()
    for step in steps_of(items):
        for link in all_links(step.links):
            match link.action:
                case m.RunPipeline(pipeline=name):
                    found |= providers(program, children[name].items)
                case m.Ask(by=m.Cascade(tiers=tiers)):
                    found |= {behind[tier] for tier in tiers}
                case m.Ask(by=m.Route(arms=arms)) | m.Agent(by=m.Route(arms=arms)):
                    found |= {behind[tier] for _, tier in arms}
                case m.Ask(by=m.IfRoute() as by) | m.Agent(by=m.IfRoute() as by):
                    found |= {behind[by.then], behind[by.otherwise]}
                case m.Ask(by=str() as name) | m.Agent(by=str() as name) if name in behind:
                    found.add(behind[name])
                case _:
                    pass
    return found


def shared_words(pipeline: m.Pipeline, child: m.Pipeline, action: m.RunPipeline) -> Iterator[str]:
    arguments = dict(zip((item.name for item in child.inputs), action.args, strict=True))
    own = {share.path for share in pipeline.shares}
    for share in child.shares:
        argument = arguments.get(share.path.value)
        if not isinstance(argument, e.Path):
            continue
        yield "a child looks at a path of its argument"
        field = share.path.field if argument.field is None else argument.field
        if e.Path(argument.value, field) in own:
            yield "caller and child have a share for one path"
