"""Lines of `traffic` that nothing reads: no decision, no promise and no length hangs on them.

A share is read where something is decided by it: a gate, a branch, a person, a tier, a promise, a
template. A length is read where the text or list goes into a prompt, a call or a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelang.diagnostics import Span, codes, has_errors
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.kernels.hard import depends_on_hardness
from pipelang.semantics.types import JSON, EnumType, present
from pipelang.semantics.unique import with_unique_names
from pipelang.semantics.walk import all_items, all_steps, inner_links

Path = tuple[str, ...]


def unread_traffic(context: Context, program: p.Program) -> None:
    """Warn about lines of the root file's pipelines that have no effect."""
    if has_errors(context.diagnostics):
        return  # what could not be understood may have been what reads them
    for pipeline in program.pipelines.values():
        if pipeline.span.file != program.file:
            continue
        known = with_unique_names(pipeline)
        traffic = known.traffic
        if not (traffic.paths or traffic.conditions or traffic.means or traffic.hard):
            continue
        reading = _Reading(program, known)
        lines = [
            *((line.span, reading.decides(line.path)) for line in traffic.paths),
            *((line.span, reading.decides(line.condition)) for line in traffic.conditions),
            *((line.span, reading.fills(line.path)) for line in traffic.means),
        ]
        if traffic.hard is not None:
            lines.append((traffic.hard.span, depends_on_hardness(program, pipeline)))
        read = {span for span, is_read in lines if is_read}  # one line speaks of all of a name
        cases = {
            line.span: reading.subject_of(line.condition)
            for line in traffic.conditions
            if reading.subject_of(line.condition) is not None
        }
        for span in dict.fromkeys(span for span, _ in lines):
            if span not in read:
                name = " ".join(_written(context, span).split())
                help = f"nothing in `{pipeline.name}` hangs on it: leave it out"
                if span in cases:
                    help = f"what decides is the whole of it: write `{cases[span]}`"
                context.tell(codes.UNUSED, span, what="traffic line", name=name, help=help)


def _written(context: Context, span: Span) -> str:
    text = context.sources[span.file].text[span.start : span.end]
    return text.rpartition(":")[0] or text


class _Reading:
    """Expressions by which a pipeline decides, and those that it hands over."""

    def __init__(self, program: p.Program, pipeline: p.Pipeline) -> None:
        self._lets = _lets(pipeline)
        self._decided: set[expr.Expr] = set()
        for test in _tests(program, pipeline, {}):
            self._decided |= set(expr.walk(self._open(test)))
        self._asked = {
            expr.path_of(self._open(_place(path))) or path
            for path in _asked_in_templates(program, pipeline)
        }
        self._filled = {
            path
            for value in _values(pipeline)
            for part in (value, self._open(value))
            for path in _paths(part)
        }

    def _open(self, node: expr.Expr) -> expr.Expr:
        return expr.substitute(node, self._lets) if self._lets else node

    def decides(self, node: expr.Expr) -> bool:
        """Whether a decision hangs on an expression, or on its opposite."""
        node = self._open(node)
        if node in self._decided or expr.path_of(node) in self._asked:
            return True
        if isinstance(node, expr.Compare) and node.op != "==":
            op = "<=" if node.op == "<" else "<"
            return expr.Compare(op, node.right, node.left, node.type) in self._decided
        return isinstance(node, expr.IsPresent) and node.target in self._decided

    def subject_of(self, node: expr.Expr) -> str | None:
        """A line with the shares of all members, where a decision hangs on the value that is here
        compared with one of them.
        """
        if not isinstance(node, expr.Compare) or node.op != "==":
            return None
        for side in (node.left, node.right):
            path, members = expr.path_of(side), present(side.type)
            if path is None or not isinstance(members, EnumType):
                continue
            if self._open(side) in self._decided:
                share = f"{100 // len(members.written)}%"
                each = ", ".join(f"{member} {share}" for member in members.written)
                return f"{'.'.join(path)}: {each}"
        return None

    def fills(self, path: Path) -> bool:
        """Whether a text or list is a part of what is handed over, or the other way round."""
        place = path[:-1] if path[-1:] == ("length",) else path
        root = expr.path_of(self._open(_place(place))) or place
        return any(
            root[: len(given)] == given or given[: len(root)] == root for given in self._filled
        )


def _paths(value: expr.Expr) -> Iterator[Path]:
    """The paths in a value, without the values that they are a part of."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        path = expr.path_of(node)
        if path is not None:
            yield path
        else:
            todo += expr.parts(node)


def _place(path: Path) -> expr.Expr:
    node: expr.Expr = expr.Read(path[0], JSON)
    for name in path[1:]:
        node = expr.Field(node, name, JSON)
    return node


def _lets(pipeline: p.Pipeline) -> Mapping[str, expr.Expr]:
    lets: dict[str, expr.Expr] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, p.Let):
            lets[item.name] = expr.substitute(item.value, lets)
    return lets


Known = dict[str, dict[expr.Expr, None]]
"""The tests of pipelines in words of their parameters, by the pipeline's name."""


def _tests(program: p.Program, pipeline: p.Pipeline, known: Known) -> Iterator[expr.Expr]:
    """Every expression that decides something, also in the pipelines that are run, in the words of
    the one that runs them.
    """
    for line in pipeline.slo:
        if line.condition is not None:
            yield line.condition
    for item in all_items(pipeline.block):
        match item:
            case p.Gate():
                yield item.condition
            case p.When():
                yield item.condition
            case p.Person(when=when) if when is not None:
                yield when
            case p.MatchBranch():
                yield item.subject
            case _:
                pass
    for value in _values(pipeline):
        yield from _choices(value)
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            yield from _routes(program, link.action, known)


def _choices(value: expr.Expr) -> Iterator[expr.Expr]:
    """Tests inside a value: they say how long it is, and what it is."""
    for node in expr.walk(value):
        match node:
            case expr.Choice():
                yield node.condition
            case expr.Select():
                yield node.subject
            case expr.Comprehension(condition=test) if test is not None:
                yield test
            case _:
                pass


def _routes(program: p.Program, action: p.Action, known: Known) -> Iterator[expr.Expr]:
    match action:
        case p.AskTier() | p.Agent():
            yield action.who
        case p.Cascade():
            yield action.until
        case p.Choose():
            yield action.subject
        case p.RunPipeline():
            name, arguments = action.pipeline, dict(action.arguments)
            if name not in known:
                inner = with_unique_names(program.pipelines[name])
                lets, tests = _lets(inner), _tests(program, inner, known)
                known[name] = dict.fromkeys(expr.substitute(test, lets) for test in tests)
            for test in known[name]:
                yield expr.substitute(test, arguments)
        case _:
            pass


def _asked_in_templates(program: p.Program, pipeline: p.Pipeline) -> Iterator[Path]:
    """The paths of this pipeline that the templates of its prompts test: `{% if ticket.vip %}`."""
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            action = link.action
            if not isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent)):
                continue
            arguments = dict(action.arguments)
            for path in _tested(program.prompts[action.prompt].shape):
                given = arguments.get(path[0])
                root = None if given is None else expr.path_of(given)
                if root is not None:
                    yield (*root, *path[1:])


def _tested(shape: p.TemplateShape) -> Iterator[Path]:
    for part in shape:
        match part:
            case p.TemplateBranch():
                if part.test is not None:
                    yield part.test[0]
                for way in part.ways:
                    yield from _tested(way)
            case p.TemplateLoop():
                yield from _tested(part.body)
            case _:
                pass


def _values(pipeline: p.Pipeline) -> Iterator[expr.Expr]:
    """Every value that is put into a prompt, a call, a list, a memory or a person's sight."""
    for item in all_items(pipeline.block):
        match item:
            case p.Remember():
                yield from (item.key, item.value)
            case p.Person(showing=shown) if shown is not None:
                yield shown
            case _:
                pass
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            yield from _given(link.action)


def _given(action: p.Action) -> Iterable[expr.Expr]:
    match action:
        case p.Each():
            return (action.elements,)
        case p.Recall():
            return (action.key,)
        case p.Value():
            return (action.value,)
        case p.AskTier() | p.AskRole() | p.Cascade() | p.Agent() | p.Call() | p.RunPipeline():
            return (value for _, value in action.arguments)
        case _:
            return ()
