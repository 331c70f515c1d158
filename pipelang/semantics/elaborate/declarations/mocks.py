"""Elaboration of mocks: whom they stand for, and whether what they say fits."""

from __future__ import annotations

from pipelang.diagnostics import codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.broken_parts import flawed
from pipelang.semantics.elaborate.context import Scope, broken
from pipelang.semantics.elaborate.declarations.tested import Tested
from pipelang.semantics.elaborate.expressions.calls import bind
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.names.named_items import Contents, contents_of
from pipelang.semantics.elaborate.reach.effects import reached
from pipelang.semantics.symbols import Symbol, suggestion
from pipelang.semantics.types import NothingType, Type
from pipelang.semantics.walk import agent_of, inner_links
from pipelang.syntax import ast


def mock_of(tested: Tested, line: ast.Mock) -> p.Mock | None:
    """A mock; None where it stands for nothing (reported)."""
    if isinstance(line, ast.MockBreaker):
        if tested.pipeline.breaker is None:
            what = f"`{tested.pipeline.name}` has no breaker"
            tested.context.tell(codes.ARGUMENTS, line.span, what=what)
        return p.Mock("breaker", None, None, line.span)
    if isinstance(line, ast.MockQuota):
        if tested.pipeline.quota is None:
            what = f"`{tested.pipeline.name}` has no quota"
            tested.context.tell(codes.ARGUMENTS, line.span, what=what)
        return p.Mock("quota", None, None, line.span)
    name, before = line.target[-1], ""
    if len(line.target) > 1:
        inner = _sub_pipeline(tested, line)
        if inner is None:
            return None
        if inner is not tested.pipeline:
            contents = contents_of(inner.block, {}, flawed=inner.name in tested.context.flawed)
            tested = replace(tested, pipeline=inner, contents=contents)
            before = f"{inner.name}."
    if isinstance(line, ast.MockVerdicts):
        said = _verdicts(tested, line, name)
        return None if said is None else replace(said, target=before + said.target)
    target = _target(tested, name, before)
    if target is None:
        return None
    key, type = target
    if isinstance(line, ast.MockFails):
        return p.Mock(key, None, None, line.span)
    values = [
        _call(tested, name, value)
        if isinstance(value, ast.MockCall)
        else _value(tested, value, type)
        for value in line.values
    ]
    return p.Mock(key, tuple(value for value in values if value is not None), None, line.span)


def _sub_pipeline(tested: Tested, line: ast.Mock) -> p.Pipeline | None:
    """The pipeline before the dot of a mock, which a run of the tested one must come to."""
    assert not isinstance(line, (ast.MockBreaker, ast.MockQuota))
    context, first = tested.context, line.target[0]
    symbol = context.find(tested.file, first, "pipeline")
    if symbol is None or symbol.key not in tested.pipelines:
        return None
    if len(line.target) > 2:
        help = f"name the pipeline that has it: `mock PIPELINE.{line.target[-1].text}`"
        what = "a mock names one pipeline and one step"
        context.tell(codes.ARGUMENTS, line.span, what=what, help=help)
        return None
    if symbol.key not in reached(context, tested.pipeline.name):
        context.tell(codes.UNUSED, first.span, what="mock", name=first.text)
    return tested.pipelines[symbol.key]


def _value(tested: Tested, written: ast.Expr, type: Type) -> expr.Expr:
    """A mocked value; `none` stands for the answer of a tool that answers nothing."""
    if isinstance(type, NothingType):
        if isinstance(written, ast.Literal) and written.kind is ast.LiteralKind.NONE:
            return expr.Const(None, type, span=written.span)
        help = "its tool has no `->`: write `none`"
        tested.context.tell(
            codes.TYPE_MISMATCH, written.span, help=help, expected="`none`", found="a value"
        )
        return broken(written.span)
    return elaborate(tested.context, Scope(tested.file, tested=True), written, type)


def _call(tested: Tested, name: ast.Name, turn: ast.MockCall) -> p.MockedCall | None:
    """A turn of an agent's model that asks for one of the agent's tools."""
    context = tested.context
    agents = _agents(tested.contents, name.text)
    if not agents:
        what = f"`{name.text}` is no agent, and only an agent's model calls tools"
        help = "a mock says what the step answers: `mock STEP = VALUE`"
        context.tell(codes.ARGUMENTS, turn.span, what=what, help=help)
        return None
    offered = [key for agent in agents for key in (*agent.tools, *agent.pipelines)]
    symbol = context.symbols.find(tested.file, turn.tool.text)
    if symbol is None or symbol.key not in offered:
        names = [
            word
            for word, found in context.symbols.scopes[tested.file].items()
            if found.key in offered
        ]
        help_ = suggestion(turn.tool.text, names) or "it has: " + ", ".join(names or offered)
        what = f"tool of `{name.text}`"
        context.tell(codes.UNKNOWN_NAME, turn.tool.span, what=what, name=turn.tool.text, help=help_)
        return None
    context.symbols.use(tested.file, symbol)
    context.refer(turn.tool.span, symbol.declaration.name.span)
    parameters, _ = signature(context, symbol.key)
    scope = Scope(tested.file, tested=True)
    bound = bind(context, scope, turn.tool.text, parameters, turn.arguments, turn.span)
    if flawed(argument.value for argument in turn.arguments):
        return None
    return p.MockedCall(symbol.key, bound, turn.span)


def _agents(contents: Contents, step: str) -> list[p.Agent]:
    """The agents in the chain of a step."""
    if step not in contents.steps:
        return []
    links = inner_links(contents.steps[step].chain)
    return [agent for link in links if (agent := agent_of(link.action)) is not None]


def _verdicts(tested: Tested, line: ast.MockVerdicts, name: ast.Name) -> p.Mock | None:
    """Answers of a person in a test, one for each time that they are asked."""
    context, contents = tested.context, tested.contents
    person = contents.people.get(name.text)
    if person is None and contents.flawed:
        return None
    if person is None:
        nested = [f"{pipe.name}.{one}" for pipe, its in tested.inner() for one in its.people]
        help = tested.closest(name.text, list(contents.people), nested)
        what = "approval or hold"
        context.tell(codes.UNKNOWN_NAME, name.span, what=what, name=name.text, help=help)
        return None
    no = "no" if person.kind == "approve" else "veto"
    fitting = ("yes", no, p.NO_ANSWER)
    whose = "an approval" if person.kind == "approve" else "a hold"
    expected = f"`yes`, `{no}` or `{p.NO_ANSWER}` for {whose}"
    if person.seconds is None:
        for verdict in line.verdicts:
            if verdict.answer == p.NO_ANSWER:
                what = f"`{name.text}` waits as long as it takes, so an answer always comes"
                context.tell(
                    codes.ARGUMENTS, verdict.span, what=what, help="give it a time: `within 2h`"
                )
    for verdict in line.verdicts:
        if verdict.answer not in fitting:
            found = f"`{verdict.answer}`"
            context.tell(codes.TYPE_MISMATCH, verdict.span, expected=expected, found=found)
    said = tuple(p.MockedVerdict(one.answer, one.reason) for one in line.verdicts)
    return p.Mock(name.text, None, said, line.span)


def _target(tested: Tested, name: ast.Name, before: str) -> tuple[str, Type] | None:
    """The step or tool that a mock stands for, and the type of what it answers. Behind the name of
    a pipeline (`before`) a tool is what that pipeline's file calls so; imported or not.
    """
    context, file, contents = tested.context, tested.file, tested.contents
    if name.text in contents.steps:
        return before + name.text, contents.steps[name.text].type
    if before:
        file = tested.pipeline.span.file
    symbol = context.symbols.find(file, name.text)
    if symbol is not None and symbol.kind == "tool":
        context.symbols.use(file, symbol)
        context.refer(name.span, symbol.declaration.name.span)
        if symbol.key not in reached(context, tested.pipeline.name):
            context.tell(codes.UNUSED, name.span, what="mock", name=name.text)
        return symbol.key, signature(context, symbol.key)[1]
    found, help = _what_it_is(name.text, contents)
    if found is None and symbol is not None and symbol.kind in _NAMED_BY:
        found, help = f"a {symbol.kind}", _by_its_steps(symbol, contents)
    if found is not None:
        context.tell(
            codes.WRONG_KIND,
            name.span,
            help=help,
            name=name.text,
            found=found,
            expected="a step or a tool",
        )
        return None
    if not contents.flawed and not context.symbols.is_lost(file, name.text):
        own = [*contents.steps, *context.symbols.names(file, "tool")]
        nested = [f"{pipe.name}.{one}" for pipe, its in tested.inner() for one in its.steps]
        close = tested.closest(name.text, own, nested)
        what = "step or tool"
        context.tell(codes.UNKNOWN_NAME, name.span, what=what, name=name.text, help=close)
    return None


_NAMED_BY = {"prompt": "asks", "memory": "recalls", "pipeline": "runs"}
"""Declarations that only a step can be mocked for, and what it does with them."""


def _by_its_steps(symbol: Symbol, contents: Contents) -> str:
    """A help that says which step to mock in place of a prompt, a memory or a pipeline."""
    does = f"the step that {_NAMED_BY[symbol.kind]} it"

    def names(link: p.Link) -> bool:
        action = agent_of(link.action) or link.action
        return getattr(action, symbol.kind, None) == symbol.key

    for step in contents.steps.values():
        if any(map(names, inner_links(step.chain))):
            return f"mock {does}: `mock {step.name} = ...`"
    return f"mock {does}"


def _what_it_is(name: str, contents: Contents) -> tuple[str | None, str | None]:
    """Kind of a name that cannot be mocked, and what to do instead."""
    if name in contents.lets:
        return "a let", "it is worked out from the values that it reads: mock those"
    if name in contents.gates or name in contents.branches:
        return "a test", "it is judged by the values that it reads: mock those"
    if name in contents.people:
        return "asked of a person", f"say what they answer: `mock {name} yes`"
    if name in contents.values:
        return "a parameter", "it is what `given` gives"
    return None, None
