"""Elaboration of items and of the blocks that they form."""

from __future__ import annotations

from collections import ChainMap
from typing import assert_never

from pipelang.diagnostics import Span, codes
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.links import chain
from pipelang.semantics.elaborate.actions.outcomes import ActionSite, outcome
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.expressions.types import elaborate_type
from pipelang.semantics.elaborate.names.expanded_size import is_too_deep, not_too_long
from pipelang.semantics.elaborate.names.local_names import take
from pipelang.semantics.elaborate.reach.effects import acts
from pipelang.semantics.kernels.regions import segments
from pipelang.semantics.reads import chain_reads
from pipelang.semantics.types import ERROR, ListType, NoneType, Type, with_length
from pipelang.syntax import ast

Made = tuple[p.Item | None, Scope, bool]
"""An item, the scope behind it, and whether every way through it ends the run."""


@dataclass(slots=True)
class Around:
    """The surroundings of an item. `taken` are the names around it and before it: no name is used
    twice. `steps` are the steps so far, which a person is asked to judge, `lets` the values so
    far that are worked out from others, `sizes` and `levels` theirs.
    """

    context: Context
    place: ActionSite
    taken: ChainMap[str, Span]
    steps: ChainMap[str, None] = field(default_factory=ChainMap)
    made: list[p.Item] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    lets: dict[str, expr.Expr] = field(default_factory=dict)

    def inside(self, place: ActionSite) -> Around:
        """The surroundings of the items of a branch."""
        taken, steps = self.taken.new_child(), self.steps.new_child()
        inner = Around(self.context, place, taken, steps, sizes=self.sizes)
        inner.lets, inner.levels = self.lets, self.levels
        return inner

    def claim(self, name: ast.Name, what: str, *, value: bool) -> None:
        take(self.context, name.span.file, name, self.taken, what, value=value)


def block(
    around: Around, scope: Scope, items: tuple[ast.Item, ...], *, inner: bool = True
) -> tuple[p.Block, bool]:
    """A block, and whether every way through it ends the run. `inner` is one of a branch."""
    context = around.context
    ended = told = False
    scope = replace(scope.inside() if inner else scope, later=(names_in(items), scope.later))
    for item in items:
        if isinstance(item, WHOLE):
            if inner:
                word = type(item).__name__.lower()
                help = "it is about the pipeline as a whole: write it at its top"
                context.tell(codes.WRONG_OPTION, item.span, option=word, what="a branch", help=help)
            continue
        if ended and not told:
            context.tell(codes.UNREACHABLE, item.span)
            told = True
        typed, scope, ends = _item(around, scope, item)
        if typed is not None:
            if isinstance(typed, (p.Step, p.Let)):
                around.places.setdefault(typed.name, len(around.made))
            if isinstance(typed, p.Step):
                around.steps[typed.name] = None
            else:
                for step in _steps_in(typed):
                    around.steps[step] = None
            around.made.append(typed)
        ended = ended or ends
    made = tuple(around.made)
    return p.Block(made, segments(made, lambda key: acts(context, key))), ended


WHOLE = (
    ast.Budget,
    ast.Quota,
    ast.Permits,
    ast.Slo,
    ast.Traffic,
    ast.Watch,
    ast.Sample,
    ast.Breaker,
)
"""Items that are about a pipeline as a whole."""


def names_in(items: tuple[ast.Item, ...]) -> frozenset[str]:
    """The names of the values that items make, those of their branches left out."""
    return frozenset(item.name.text for item in items if isinstance(item, (ast.Step, ast.Let)))


def _steps_in(item: p.Item) -> frozenset[str]:
    """The steps of an item, those of its branches included."""
    match item:
        case p.Step():
            return frozenset((item.name,))
        case p.When():
            inner = (*item.then.items, *item.otherwise.items)
        case p.MatchBranch():
            inner = tuple(part for _, arm in item.arms for part in arm.items)
        case _:
            return frozenset()
    return frozenset[str]().union(*map(_steps_in, inner))


def _item(around: Around, scope: Scope, item: ast.Item) -> Made:
    from pipelang.semantics.elaborate.items.branches import match_branch, when
    from pipelang.semantics.elaborate.items.gates import gate, person

    match item:
        case ast.Step():
            return _step(around, scope, item)
        case ast.Let():
            return _let(around, scope, item)
        case ast.Gate():
            return gate(around, scope, item)
        case ast.Approve() | ast.Hold():
            return person(around, scope, item)
        case ast.When():
            return when(around, scope, item)
        case ast.MatchItem():
            return match_branch(around, scope, item)
        case ast.Remember():
            return _remember(around, scope, item)
        case ast.Return() | ast.Escalate() | ast.Reject() | ast.Fail():
            made = outcome(around.context, scope, around.place, item)
            return p.End(made, item.span), scope, True
        case ast.Budget() | ast.Quota() | ast.Permits() | ast.Slo() | ast.Traffic():
            return None, scope, False
        case ast.Watch() | ast.Sample() | ast.Breaker():
            return None, scope, False
        case ast.Broken():
            return _broken(around, scope, item)
        case _:
            assert_never(item)


def _broken(around: Around, scope: Scope, item: ast.Broken) -> Made:
    """An item that could not be read. Whatever it may be, a value of its name is there, as are
    those of the items in it, and it may have ended the run.
    """
    for name in item.inside if item.name is None else (item.name, *item.inside):
        around.taken.setdefault(name.text, name.span)
        scope = _with(scope, name.text, ERROR, name.span)
    return None, scope, False


def _step(around: Around, scope: Scope, item: ast.Step) -> Made:
    name = item.name.text
    around.claim(item.name, "step", value=True)
    expected = _written(around, scope, item.type)
    asking = scope.with_budget()
    made, type = chain(around.context, asking, around.place.at(name), item.chain, expected)
    type = _with_type(around, item.name, type)
    step = p.Step(name, type, made, chain_reads(made), item.doc, item.name.span)
    return step, _with(scope, name, type, item.name.span), False


def _let(around: Around, scope: Scope, item: ast.Let) -> Made:
    name = item.name.text
    around.claim(item.name, "let", value=True)
    expected = _written(around, scope, item.type)
    value = elaborate(around.context, scope, item.value, expected)
    if expected is None:
        type = _with_type(around, item.name, value.type)
    else:
        type = with_length(expected, [value.type])
    not_too_long(around.context, value, around.sizes, item.name, name)
    if is_too_deep(around.context, value, around.levels, item.name):
        value = expr.Const(None, ERROR, span=item.name.span)  # written out by nothing
    around.lets.setdefault(name, value)
    let = p.Let(name, type, value, expr.mentions(value), item.name.span)
    return let, _with(scope, name, type, item.name.span), False


def _written(around: Around, scope: Scope, type: ast.TypeExpr | None) -> Type | None:
    return None if type is None else elaborate_type(around.context, scope.file, type)


def _with_type(around: Around, name: ast.Name, type: Type) -> Type:
    """The type of a value that was not written down; a `none` alone says nothing."""
    if isinstance(type, NoneType):
        around.context.tell(codes.NEEDS_TYPE, name.span, name=name.text)
        return ERROR
    return type


def _with(scope: Scope, name: str, type: Type, span: Span) -> Scope:
    return scope.with_name(name, Local(type, span))


def _remember(around: Around, scope: Scope, item: ast.Remember) -> Made:
    context = around.context
    symbol = context.find(scope.file, item.memory, "memory")
    key_type: Type = ERROR
    value_type: Type = ERROR
    if symbol is not None:
        parameters, returns = signature(context, symbol.key)
        key_type = parameters[0].type if parameters else ERROR
        value_type = returns.element if isinstance(returns, ListType) else returns
    key = elaborate(context, scope, item.key, key_type)
    value = elaborate(context, scope, item.value, value_type)
    memory = symbol.key if symbol else item.memory.text
    reads = expr.mentions(key) | expr.mentions(value)
    return p.Remember(memory, key, value, reads, item.span), scope, False
