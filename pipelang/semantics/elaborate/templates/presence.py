"""Tests in templates: what is there where they hold, and which of them ask a value itself."""

from __future__ import annotations

from pipelang.semantics.elaborate.templates.reading import Names, Path
from pipelang.syntax.templates.nodes import (
    TemplateAttribute,
    TemplateConst,
    TemplateExpr,
    TemplateItem,
    TemplateOperation,
    TemplateTest,
    TemplateVariable,
)


def joined(test: TemplateExpr) -> list[TemplateExpr]:
    """The parts of `a and b and c`, which Jinja2 reads as `(a and b) and c`."""
    parts = []
    while isinstance(test, TemplateOperation) and test.word == "and":
        test, last = test.parts
        parts.append(last)
    return [test, *reversed(parts)]


def present_if(test: TemplateExpr, names: Names) -> frozenset[Path]:
    """The paths that are there if a test holds."""
    match test:
        case TemplateOperation("and", (left, right)):
            return present_if(left, names) | present_if(right, names)
        case TemplateOperation("not", (denied,)):
            return present_unless(denied, names)
        case TemplateTest(name="defined"):
            return present_if(test.target, names)
        case _:
            path = _path(test)
            known = names.get(path[0]) if path else None
            if path is None or known is None or known.place is None:
                return frozenset()
            return frozenset(((*known.place, *path[1:]),))


def present_unless(test: TemplateExpr, names: Names) -> frozenset[Path]:
    """The paths that are there if a test does not hold."""
    match test:
        case TemplateOperation("or", (left, right)):
            return present_unless(left, names) | present_unless(right, names)
        case TemplateOperation("not", (denied,)):
            return present_if(denied, names)
        case TemplateTest(name="none" | "undefined"):
            return present_if(test.target, names)
        case _:
            return frozenset()


def plain_test(node: TemplateExpr, names: Names) -> tuple[Path, bool] | None:
    """The path that a test asks the truth of, and whether it asks for true; None for any other."""
    if isinstance(node, TemplateOperation) and node.word == "not":
        inner = plain_test(node.parts[0], names)
        return None if inner is None else (inner[0], not inner[1])
    found = _path(node)
    if found is None or found[0] not in names:
        return None
    root = names[found[0]].path
    return None if root is None else ((*root, *found[1:]), True)


def _path(node: TemplateExpr) -> Path | None:
    match node:
        case TemplateVariable():
            return (node.name,)
        case TemplateAttribute():
            head = _path(node.target)
            return None if head is None else (*head, node.name)
        case TemplateItem(key=TemplateConst(value=str() as key)):
            head = _path(node.target)
            return None if head is None else (*head, key)
        case _:
            return None
