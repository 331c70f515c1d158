"""Templates: what a prompt can show, and all that it cannot reach."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipelang.runtime.templates import FEEDBACK_BYTES, RenderError, render, shorten_feedback

VALUES: dict[str, Any] = {
    "text": "héllo <b>",
    "order": {"items": ["a", "b"], "keys": 3, "__class__": "mine", "none": None},
    "list": ["a", "b"],
    "number": 0.85,
    "huge": 10**10,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ text }}", "héllo <b>"),
        ("{{ order.items[1] }}", "b"),
        ("{{ order['items'][0] }}", "a"),
        ("{% for item in order.items %}{{ loop.index }}{{ item }}{% endfor %}", "1a2b"),
        ("{{ order.keys }}", "3"),
        ("{{ order.__class__ }}", "mine"),
        ("{{ order.items | tojson }}", '["a", "b"]'),
        ("{{ text | tojson }}", '"héllo <b>"'),
        ("{{ number * 100 }}%", "85.0%"),
        ("{{ text | upper }}", "HÉLLO <B>"),
        ("{{ nothing is none }}", "True"),
        ("{% if order.none %}yes{% else %}no{% endif %}", "no"),
        ("{{ '<i>' }}", "<i>"),
        ("{{ list | join(', ') }}", "a, b"),
        ("{{ 2.345 | round(2) }}", "2.35"),
        ("{{ text | indent(2) }}", "héllo <b>"),
        ("{{ text.missing | default('x') }}", "x"),
    ],
)
def test_what_a_template_shows(template: str, shown: str) -> None:
    assert render(template, VALUES) == shown


@pytest.mark.parametrize(
    "template",
    [
        "{{ text.__class__ }}",
        "{{ text['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ list.append }}",
        "{{ list.__class__.__base__.__subclasses__() }}",
        "{{ text.upper() }}",
        "{{ text.format }}",
        "{{ ''.format(1) }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ order.get('items') }}",
        "{{ order.update }}",
        "{{ self.__init__ }}",
        "{{ loop }}",
        "{% for x in list %}{{ loop.__class__ }}{% endfor %}",
        "{% for x in list %}{{ loop._iterator }}{% endfor %}",
        "{% for x in list recursive %}{{ loop(list) }}{% endfor %}",
        "{{ text | attr('__class__') }}",
        "{{ list | map('upper') }}",
        "{{ list | map(attribute='__class__') }}",
        "{{ list | sort(attribute='__class__') }}",
        "{{ '%s' | format(1) }}",
        "{{ 'x' | xmlattr }}",
        "{{ lipsum }}",
        "{{ cycler }}",
        "{{ dict() }}",
        "{{ range(3) }}",
        "{{ namespace }}",
        "{% include 'other' %}",
        "{% import 'other' as other %}",
        "{% extends 'other' %}",
        "{% macro f() %}x{% endmacro %}{{ f() }}",
        "{{ unknown }}",
        "{{ order.unknown }}",
        "{{ order.none.further }}",
        "{{ list[9] }}",
        "{{ 'a' * 99999999 }}",
        "{{ list * 9999999 }}",
        "{{ 10 ** 10 }}",
        "{{ 9 ** 99999999 }}",
        "{{ huge * huge }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ text | indent(1000000000) }}",
        "{{ text | indent(huge) }}",
        "{{ 1 / 0 }}",
        "{{ text + 1 }}",
        "{{ list | sum }}",
        "{% for x in text %}{{ x.y.z }}{% endfor %}",
        "{{ '" + "(" * 5000 + "' }",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    ],
)
def test_what_a_template_cannot_do(template: str) -> None:
    began = time.monotonic()
    with pytest.raises(RenderError):
        render(template, VALUES)
    assert time.monotonic() - began < 1


def test_rounding_to_a_billion_digits_takes_no_time() -> None:
    began = time.monotonic()
    assert render("{{ 1.5 | round(999999999, 'ceil') }}", {}) == "1.5"
    assert time.monotonic() - began < 1


def test_the_output_has_a_cap() -> None:
    began = time.monotonic()
    loops = "{% for a in l %}" * 4 + "{{ text }}" + "{% endfor %}" * 4
    with pytest.raises(RenderError, match="longer than"):
        render(loops, {"l": list(range(100)), "text": "x" * 1000})
    with pytest.raises(RenderError, match="longer than"):
        render("{{ text }}{{ text }}", {"text": "x" * 3_000_000})
    assert time.monotonic() - began < 2


def test_a_value_is_never_a_template() -> None:
    attack = "{{ 7 * 7 }}{% for x in [1] %}{{ order }}{% endfor %}"
    assert render("{{ text }}", {"text": attack}) == attack


def test_messages_hold_no_values() -> None:
    for template in ("{{ text.upper() }}", "{{ order.nope }}", "{{ text + 1 }}"):
        with pytest.raises(RenderError) as error:
            render(template, {"text": "somebody's secret", "order": {"a": "somebody's secret"}})
        assert "somebody" not in str(error.value)


def test_a_template_and_values_of_any_name() -> None:
    names = {"context": "a", "environment": "b", "args": "c", "kwargs": "d"}
    template = "{{ context }}{{ environment }}{{ args }}{{ kwargs }}"
    assert render(template, names) == "abcd"


def test_feedback_is_cut_between_letters() -> None:
    assert shorten_feedback("short") == "short"
    cut = shorten_feedback("€" * 300)
    assert cut == "€" * (FEEDBACK_BYTES // 3)
    assert len(shorten_feedback("a€" * 300).encode()) <= FEEDBACK_BYTES
