"""Templates: what a prompt can show, and all that it cannot reach."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipelang.runtime.prompts.templates import FEEDBACK_BYTES, RenderError, render, shorten_feedback

VALUES: dict[str, Any] = {
    "text": "héllo <b>",
    "order": {"items": ["a", "b"], "keys": 3, "__class__": "mine", "none": None},
    "list": ["a", "b"],
    "number": 0.85,
    "huge": 10**10,
    "nothing": None,
}


HANGS = 60
"""Seconds. What ends at once on any machine has hung by then; no speed is asserted."""


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
        ("{{ (list | reverse)[0] }}", "b"),
        ("{% set kept = ['a', 'A', 'b'] | unique %}{{ kept | length }}{{ kept[1] }}", "2b"),
        ("{% set pairs = {'k': 1} | items %}{{ pairs[0][0] }}{{ pairs | length }}", "k1"),
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
    assert time.monotonic() - began < HANGS


def test_rounding_to_a_billion_digits_takes_no_time() -> None:
    began = time.monotonic()
    assert render("{{ 1.5 | round(999999999, 'ceil') }}", {}) == "1.5"
    assert time.monotonic() - began < HANGS


def test_the_output_has_a_cap() -> None:
    began = time.monotonic()
    loops = "{% for a in l %}" * 4 + "{{ text }}" + "{% endfor %}" * 4
    with pytest.raises(RenderError, match="longer than"):
        render(loops, {"l": list(range(100)), "text": "x" * 1000})
    with pytest.raises(RenderError, match="longer than"):
        render("{{ text }}{{ text }}", {"text": "x" * 3_000_000})
    assert time.monotonic() - began < HANGS


BIG = {
    "text": "x" * 200_000,
    "lines": "\n" * 400_000,
    "many": list(range(1000)),
    "long": ["y" * 1000] * 300,
    "quote": '"',
}
DOUBLING = "{% set a = text ~ text %}" + "{% set a = a ~ a %}" * 30
EMPTY_LOOPS = "{% for a in many %}" * 4 + "{% endfor %}" * 4


@pytest.mark.parametrize(
    "template",
    [
        EMPTY_LOOPS,
        "{% for a in many if a < 0 %}{% endfor %}" * 301,
        "{% for a in many %}{% for b in many %}{% if text | upper == a %}{% endif %}"
        "{% endfor %}{% endfor %}",
        "{% for a in many %}{{ (text | list | sort | unique | list | length) - 1 }}{% endfor %}",
        DOUBLING,
        DOUBLING.replace("~", "+"),
        "{% set a = many %}" + "{% set a = a + a %}" * 30 + "{{ a | length }}",
        "{{ text | join(text) | length }}",
        "{{ long | join(text) | length }}",
        "{{ text | replace('x', text) | length }}",
        "{{ text | replace('', text) | length }}",
        "{{ lines | indent(999) | length }}",
        "{{ lines | indent(text) | length }}",
        "{{ long | tojson(indent=100000000) | length }}",
        "{{ long | tojson(indent=text) | length }}",
        "{{ quote" + " | tojson" * 40 + " | length }}",
        "{{ '&' | replace('&', '&&')" + " | replace('&', '&&')" * 40 + " | length }}",
        "{{ 'x' * 300000000 }}",
        "{{ 10 ** 99999999 }}",
        "{{ (1000000000 * 1000000000) * 1000000000 }}",
    ],
)
def test_what_would_take_too_long_or_too_much(template: str) -> None:
    began, before = time.monotonic(), _largest()
    with pytest.raises(RenderError):
        render(template, BIG)
    assert time.monotonic() - began < HANGS
    assert _largest() - before < 200, "MB"


def _largest() -> float:
    """The most memory that this process ever had, in MB; 0 where nobody says."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_ordinary_work_is_never_refused() -> None:
    rows = [{"name": f"row {n}", "tags": ["a", "b", "c"]} for n in range(1000)]
    template = (
        "{% for row in rows %}{{ loop.index }}/{{ loop.length }} {{ row.name | upper }} "
        "{{ row.tags | join(', ') }}: {{ row | tojson(indent=2) | indent(4) }} "
        "{{ row.name ~ '!' }}{% if not loop.last %}\n{% endif %}{% else %}none{% endfor %}"
    )
    lines = render(template, {"rows": rows}).split("}")
    assert lines[0].startswith("1/1000 ROW 0 a, b, c: {")
    assert lines[-1] == " row 999!"
    assert render(template, {"rows": []}) == "none"


def test_a_render_begins_with_all_its_work_ahead() -> None:
    text = "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}"
    for _ in range(3):
        assert render(text, {"many": list(range(400))}) == ""


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
