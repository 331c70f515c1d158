"""The named parts of a pipeline: values, tests, people and exits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Local
from pipelang.semantics.walk import all_items, inner_links


@dataclass(slots=True)
class Contents:
    """Everything of a pipeline that has a name, branches included. No name stands twice.

    `elements` are the variables of `each`, of which traffic may speak. `flawed` says that an item
    could not be read, so that there may be more.
    """

    values: dict[str, Local] = field(default_factory=dict)
    steps: dict[str, p.Step] = field(default_factory=dict)
    lets: dict[str, p.Let] = field(default_factory=dict)
    gates: dict[str, p.Gate] = field(default_factory=dict)
    people: dict[str, p.Person] = field(default_factory=dict)
    branches: dict[str, p.When] = field(default_factory=dict)
    elements: dict[str, Local] = field(default_factory=dict)
    flawed: bool = False

    @property
    def tests(self) -> dict[str, expr.Expr]:
        """The conditions of named gates and branches."""
        return {
            **{name: gate.condition for name, gate in self.gates.items()},
            **{name: branch.condition for name, branch in self.branches.items()},
        }

    @property
    def exits(self) -> list[str]:
        """The names that an exit can give as its reason, the pipeline's own left out."""
        return [*self.steps, *self.gates, *self.people, *self.branches]


def contents_of(block: p.Block, values: Mapping[str, Local], *, flawed: bool = False) -> Contents:
    """The named parts of a block, with the parameters `values` around it."""
    found = Contents(dict(values), flawed=flawed)
    for item in all_items(block):
        match item:
            case p.Step():
                found.steps.setdefault(item.name, item)
                found.values.setdefault(item.name, Local(item.type, item.span))
                for link in inner_links(item.chain):
                    if isinstance(link.action, p.Each):
                        element = Local(link.action.element, link.span)
                        found.elements.setdefault(link.action.variable, element)
            case p.Let():
                found.lets.setdefault(item.name, item)
                found.values.setdefault(item.name, Local(item.type, item.span))
            case p.Gate():
                found.gates.setdefault(item.name, item)
            case p.Person():
                found.people.setdefault(item.name, item)
            case p.When():
                if item.name is not None:
                    found.branches.setdefault(item.name, item)
            case p.MatchBranch() | p.Remember() | p.End():
                pass
            case _:
                assert_never(item)
    return found
