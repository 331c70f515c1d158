"""The Jinja2 environment of prompts: what a template can reach, and how much it can make us do.

What a dot reaches is a key of an object, or something that Jinja knows of a loop; no attribute or
method of any value is ever reached, so a field may be called `items`. Nothing can be called, and
there is no `range`.

Jinja's own sandbox does not keep a template from work: four loops over a hundred elements print
nothing and take minutes, and `replace` can make gigabytes of two harmless texts, either of which
may come from a stranger. So every turn of a loop and every filter is counted, by the size of what
it is given and what it makes, and a render that does too much is refused. What a filter is about to
make is worked out first where that can be more than it was given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import StrictUndefined, nodes, pass_context, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from pipelang.semantics.elaborate.templates.vocabulary import FILTERS, TESTS

OUTPUT_LIMIT = 4_000_000
"""Characters that a rendered prompt, or any text on its way there, may have at most."""

MOST_WORK = 300_000
"""Work that one render may do, in turns of a loop of about a microsecond: below half a second."""

WORK = "\0work"
"""The name, which no template can say, of the list that holds how much was done so far."""

_CHARACTERS, _ELEMENTS = 1000, 4
"""Characters and elements for which a filter takes about as long as one turn of a loop."""

_WIDEST = 1000
_DEEPEST = 16


class Sandbox(ImmutableSandboxedEnvironment):
    """Filters, tests and operators of prompts."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(autoescape=False, undefined=StrictUndefined, finalize=_whole)
        self.globals.clear()
        own = {
            "tojson": _tojson,
            "indent": _indent(self.filters["indent"]),
            "round": _round(self.filters["round"]),
            "replace": _replace(self.filters["replace"]),
            "join": _join(self.filters["join"]),
        }
        kept = {name: self.filters[name] for name in FILTERS} | own
        self.filters = {name: _metered(made) for name, made in kept.items()}
        self.filters |= {_TURNS: _turns, _CONCAT: _concat}
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Jinja's tree, with what it does itself in place of a filter put through one."""
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = _through(_TURNS, loop.iter)
        changed: nodes.Template = _Concats().visit(tree)
        return changed

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers that stay small, and texts and lists put together."""
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if operator == "+" and not numbers:
            _spend(context, left, right)
            _bounded(_size(left) + _size(right))
        elif not numbers or operator == "**" or max(abs(left), abs(right)) > 1e9:
            raise SecurityError(f"`{operator}` is not for this in a prompt")
        return super().call_binop(context, operator, left, right)

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing is."""
        return False

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key, whatever the name."""
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A key or an index."""
        try:
            return obj[argument]
        except (LookupError, TypeError, AttributeError):
            return self.undefined(obj=obj, name=argument)


# ------------------------------------------------------------------------------------ counting


def _size(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, tuple, dict)) else 1


def _bounded(size: int) -> None:
    if size > OUTPUT_LIMIT:
        raise SecurityError(f"a text is longer than {OUTPUT_LIMIT:,} characters")


def _spend(context: Context, *values: Any) -> None:
    """Count one piece of work with these values."""
    work = context.get(WORK)
    if work is None:
        raise SecurityError("this cannot be worked out beforehand")
    work[0] += 1
    for value in values:
        work[0] += _size(value) // (_CHARACTERS if isinstance(value, str) else _ELEMENTS)
    if work[0] > MOST_WORK:
        raise SecurityError("the prompt takes too much work")


def _metered(original: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that counts what it is given and what it makes."""
    wants = getattr(getattr(original, "jinja_pass_arg", None), "name", None)

    @pass_context
    def metered(context: Context, *values: Any, **named: Any) -> Any:
        _spend(context, *values, *named.values())
        first: tuple[Any, ...] = ()
        if wants == "context":
            first = (context,)
        elif wants == "eval_context":
            first = (context.eval_ctx,)
        elif wants == "environment":
            first = (context.environment,)
        made = original(*first, *values, **named)
        if isinstance(made, Iterator):
            # What was turned round, or is told apart, has a length and a first element as well.
            made = list(made)
        _spend(context, made)
        if isinstance(made, str):
            _bounded(len(made))
        return made

    return metered


_TURNS, _CONCAT = "turns of a loop", "texts put together"


def _through(name: str, node: Any) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class _Concats(NodeTransformer):
    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _through(_CONCAT, nodes.List(node.nodes, lineno=node.lineno))


@pass_context
def _turns(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        _spend(context)
        yield value


@pass_context
def _concat(context: Context, values: list[Any]) -> str:
    texts = [str(value) for value in values]
    _spend(context, *texts)
    _bounded(sum(map(len, texts)))
    return "".join(texts)


# ------------------------------------------------------------------------------------- filters


def _whole(value: Any) -> Any:
    """A list or record that is shown as a whole, as JSON; a picture or document is its mark."""
    plain = isinstance(value, dict) and type(value).__str__ is object.__str__
    if plain or isinstance(value, (list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    return value


def _tojson(value: Any, indent: Any = None) -> str:
    """JSON as a model reads it best: in its own order, and no sign escaped that need not be."""
    if (len(indent) if isinstance(indent, str) else indent or 0) > _DEEPEST:
        raise SecurityError("this is too much for `tojson`")
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _indent(indent: Callable[..., str]) -> Callable[..., str]:
    def narrow(text: str, width: Any = 4, first: bool = False, blank: bool = False) -> str:
        wide = len(width) if isinstance(width, str) else width
        if wide > _WIDEST:
            raise SecurityError("this is too much for `indent`")
        _bounded(len(text) + wide * (1 + len(text.splitlines())))
        return indent(text, width, first, blank)

    return narrow


def _round(round_: Callable[..., float]) -> Callable[..., float]:
    def short(value: float, precision: int = 0, method: Any = "common") -> float:
        return round_(value, max(-300, min(precision, 300)), method)

    return short


def _replace(replace: Callable[..., str]) -> Callable[..., str]:
    @pass_eval_context
    def bounded(context: Any, s: str, old: str, new: str, count: int | None = None) -> str:
        times = str(s).count(str(old))
        _bounded(len(str(s)) + times * len(str(new)))
        return replace(context, s, old, new, count)

    return bounded


def _join(join: Callable[..., Any]) -> Callable[..., Any]:
    @pass_eval_context
    def bounded(context: Any, value: Iterable[Any], d: str = "", attribute: Any = None) -> Any:
        items = list(value)
        sizes = sum(_size(item) for item in items if isinstance(item, str))
        _bounded(sizes + len(items) * len(str(d)))
        return join(context, items, d, attribute)

    return bounded
