"""Values of a type, as long as it allows and made of what JSON writes longest, rendered into a
prompt as a whole: never longer than the analysis bounds them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelang.runtime.prompts.templates import for_template, render
from pipelang.semantics.quantities import count_tokens, text_tokens
from pipelang.semantics.sizes import value_size
from pipelang.semantics.types import (
    BOOL,
    EnumType,
    ListType,
    OptionalType,
    RecordField,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)

SIGNS = ["a", '"', "\\", "\n", "\x01", "é", "€", "\U0001f600"]


def texts(most: int) -> st.SearchStrategy[Type]:
    return st.integers(1, most).map(lambda tokens: Scalar(ScalarKind.TEXT, max_tokens=tokens))


LEAVES: st.SearchStrategy[Type] = st.one_of(
    texts(12),
    st.just(BOOL),
    st.lists(st.sampled_from(["a", 'b"b', "Löwe", "long_member"]), min_size=1, unique=True).map(
        lambda members: EnumType("Kind", tuple(members))
    ),
)


def records(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    return st.lists(inner, max_size=3).map(
        lambda types: RecordType(
            "Row", tuple(RecordField(f"f{at}", type) for at, type in enumerate(types))
        )
    )


TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        records(inner),
        st.tuples(inner, st.integers(0, 3)).map(lambda of: ListType(of[0], max_length=of[1])),
        inner.map(OptionalType),
    ),
    max_leaves=6,
)


def longest(type: Type, sign: str) -> Any:
    """A value that takes all that its type allows."""
    match type:
        case Scalar(kind=ScalarKind.TEXT, max_tokens=int(most)):
            text = ""
            while text_tokens(text + sign) <= most:
                text += sign
            return text
        case EnumType():
            return max(type.members, key=lambda member: len(member.encode()))
        case RecordType():
            return {field.key: longest(field.type, sign) for field in type.fields}
        case ListType():
            return [longest(type.element, sign)] * (type.max_length or 0)
        case OptionalType():
            return longest(type.inner, sign)
        case _:
            return False


@given(TYPES, st.sampled_from(SIGNS))
def test_what_is_shown_as_a_whole_stays_within_its_bound(type: Type, sign: str) -> None:
    shown = render("{{ value }}", {"value": for_template(type, longest(type, sign))})
    bound = value_size(type).bound
    assert bound is not None
    assert count_tokens(shown) <= bound
