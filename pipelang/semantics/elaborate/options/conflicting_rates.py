"""One source for each chance: no test has two shares, or a share and evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import EvidenceFile, MeasuredShare
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.names.named_items import Contents
from pipelang.semantics.elaborate.options.evidence import confidence_step, confidences
from pipelang.semantics.lengths import at_root, shown_path

Expand = Callable[[expr.Expr], expr.Expr]


def _expander(lets: Iterable[p.Let]) -> Expand:
    """A function that replaces every `let` by what it is: tests on both are one test."""
    values: dict[str, expr.Expr] = {}
    for let in lets:
        values[let.name] = expr.substitute(let.value, values)
    return lambda node: expr.substitute(node, values) if values else node


def one_draw_each(context: Context, traffic: p.Traffic, contents: Contents) -> None:
    """Report duplicate shares, and shares of conditions that other shares already determine."""
    expand = _expander(contents.lets.values())
    known: dict[expr.Expr, Span] = {}
    shares: list[p.PathShares | p.ConditionShare] = [*traffic.paths, *traffic.conditions]
    for share in sorted(shares, key=lambda share: share.span.start):
        node = expand(_subject(share))
        if node in known:
            label = Label(known[node], "the first stands here")
            name = expr.show(_subject(share))
            help = "say once how often it holds"
            context.tell(codes.DUPLICATE, share.span, name=name, labels=(label,), help=help)
        known.setdefault(node, share.span)
    for node, span in known.items():
        others = {other: place for other, place in known.items() if other != node}
        if isinstance(node, expr.Compare) and known.get(_opposite(node), span) > span:
            del others[_opposite(node)]  # of two opposites the second is told
        _not_computed(context, f"`{expr.show(node)}`", node, others, span)
    names: dict[str, Span] = {}
    for named in traffic.names:
        label = Label(names.get(named.name, named.span), "the first stands here")
        if named.name in names:
            context.tell(codes.DUPLICATE, named.span, name=named.name, labels=(label,))
        names.setdefault(named.name, named.span)
        if named.name in contents.tests:
            test = expand(contents.tests[named.name])
            _not_computed(context, f"`{named.name}`", test, known, named.span)
    lengths: dict[tuple[str, ...], Span] = {}
    lets: dict[str, expr.Expr] = {}
    for let in contents.lets.values():
        lets[let.name] = expr.substitute(let.value, lets)
    for mean in traffic.means:
        root = at_root(mean.path, lets)
        if root in lengths:
            label = Label(lengths[root], "the first stands here")
            context.tell(codes.DUPLICATE, mean.span, name=shown_path(mean.path), labels=(label,))
        lengths.setdefault(root, mean.span)


def _subject(share: p.PathShares | p.ConditionShare) -> expr.Expr:
    return share.path if isinstance(share, p.PathShares) else share.condition


def _not_computed(
    context: Context, shown: str, node: expr.Expr, known: dict[expr.Expr, Span], span: Span
) -> None:
    used: list[Span] = []
    if _computed(node, known, used):
        labels = tuple(Label(place, "this decides it") for place in dict.fromkeys(used))
        what = f"how often {shown} holds "
        what += "is worked out from other shares" if used else "is known without a share"
        help = "leave this line out"
        context.tell(codes.CONTRADICTION, span, what=what, labels=labels, help=help)


def _opposite(node: expr.Compare) -> expr.Compare:
    """The comparison that holds when this one does not."""
    return expr.Compare("<=" if node.op == "<" else "<", node.right, node.left, node.type)


def _computed(node: expr.Expr, known: dict[expr.Expr, Span], used: list[Span]) -> bool:
    """Whether an expression's value follows from constants and from what has a share."""
    if node in known:
        used.append(known[node])
        return True
    match node:
        case expr.Const():
            return True
        case expr.Not() | expr.Logic() | expr.Choice() | expr.Select() | expr.Compare(op="=="):
            parts = expr.parts(node)
        case expr.Compare():
            opposite = _opposite(node)
            if opposite in known:
                used.append(known[opposite])
                return True
            return all(isinstance(part, expr.Const) for part in expr.parts(node))
        case expr.Member(collection=expr.MakeList() as members):
            parts = (node.item, *members.items)
        case _:
            return False
    return all(_computed(part, known, used) for part in parts)


def one_source(context: Context, contents: Contents, traffic: p.Traffic) -> None:
    """Report tests with both a share and evidence: their own, or that of the step they read."""
    expand = _expander(contents.lets.values())
    told: list[p.PathShares | p.ConditionShare] = [*traffic.paths, *traffic.conditions]
    shares = {expand(_subject(share)): share.span for share in told}
    named = {share.name: share.span for share in traffic.names}
    for name, test in contents.tests.items():
        gate = contents.gates.get(name)
        own = None if gate is None else gate.evidence
        condition = expand(test)
        span = named.get(name) or shares.get(condition)
        if span is not None and gate is not None and own is not None:
            _two_sources(context, span, f"`{name}`", gate.span)
        elif name in named:
            for compare in confidences(condition):
                _inherited(context, compare, contents, named[name], f"`{name}`")
    for node, span in shares.items():
        if isinstance(node, expr.Compare):
            _inherited(context, node, contents, span, f"`{expr.show(node)}`")


def _inherited(
    context: Context, compare: expr.Compare, contents: Contents, span: Span, what: str
) -> None:
    """Report a share of a confidence whose step brings a file that says the same."""
    step = contents.steps.get(confidence_step(compare) or "")
    if step is None:
        return
    for link in step.chain.links:
        if isinstance(link.accuracy, MeasuredShare):
            file = context.evidence.get(link.accuracy.file)
            if file is not None and _has_confidences(file):
                _two_sources(context, span, what, step.span)
                return


def _has_confidences(file: EvidenceFile) -> bool:
    return file.columns.ungraded is None


def _two_sources(context: Context, span: Span, what: str, evidence: Span) -> None:
    context.tell(
        codes.CONTRADICTION,
        span,
        what=f"{what} has a share here, and evidence as well",
        help="keep the evidence, and leave this line out",
        labels=(Label(evidence, "the evidence belongs to this"),),
    )
