"""Templates whose texts are put together by operators: no prompt is longer than its bound, and
reading one takes work by its length.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelang.analysis.metrics.analyse import analyse
from pipelang.runtime.prompts.templates import render
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import grows_no_faster_than

TEXT = '''provider north { available 100% }
tier fast { provider north price $1 in, $5 out transient 1% context 100k tokens }
prompt ask(a: text, n: int, xs: [text] max 3) """TEMPLATE"""
pipeline main(a: text max 100 tokens, n: int in 0..99, xs: [text max 10 tokens] max 3) -> text {
  step s: text max 9 tokens = ask ask(a, n, xs) by fast { timeout 9s }
  return s
}
'''

JOINED = [
    "{{ a + a }}",
    '{{ "Dear " + a + "," + a }}',
    "{{ n + 1 }}{{ n * n - 1 }}{{ n + n + n }}",
    "{% for x in xs %}{{ loop.index + 1 }}{{ x + a }}{% endfor %}",
    "{% if n > 3 %}{{ a + a + a }}{% else %}{{ a }}{% endif %}",
    "{% set b = a + a %}{{ b }}{{ b + b }}",
    "{{ (a + a) if n > 3 else a }}",
    "{{ (a + a)|upper }}",
    "{% set b = a %}{% if n < 3 %}{% set b = n %}{% endif %}{{ b }}",
    "{% if n < 3 %}{% set a = n %}{% endif %}{{ a|upper }}",
    "{% for x in xs %}{% if not loop.first %}{{ loop.previtem or '' }}{% endif %}{% endfor %}",
    "{% for x in xs %}{% if loop.nextitem is defined %}{{ loop.nextitem }}{% endif %}{% endfor %}",
    "{% if n > 3 %}{% set ys = xs|reverse %}{% else %}{% set ys = [a] %}{% endif %}{{ ys[0] }}",
]


@pytest.mark.parametrize("template", JOINED)
def test_no_prompt_is_longer_than_its_bound(template: str) -> None:
    built = build("m.pipe", MemoryLoader({"m.pipe": TEXT.replace("TEMPLATE", template)}))
    assert built.program is not None, built.diagnostics
    worst = analyse(built.program, built.program.pipelines["main"]).numbers["tokens.worst"].high
    shown = render(template, {"a": "x" * 300, "n": 99, "xs": ["y" * 30] * 3})
    assert worst is not None
    assert worst >= 9 + -(-len(shown.encode()) // 3)


GROWING: dict[str, Callable[[int], str]] = {
    "literals": lambda n: "{% for x in [" + ", ".join(f'"w{i}"' for i in range(n)) + "] %}{{ x }}",
    "pairs": lambda n: "{% for x in [" + ", ".join(f'["k", {i}]' for i in range(n)) + "] %}{{ a }}",
    "loops": lambda n: "{% for x in xs %}" + "{% for y in xs %}{{ y }}{% endfor %}" * n,
    "ways": lambda n: (
        '{% for x in xs %}{% if a == "" %}'
        + "".join(f'{{% elif a == "y{i}" %}}{{{{ a }}}}' for i in range(n))
        + "{% endif %}"
    ),
    "places": lambda n: "{% for x in xs %}" + "{{ a }} " * n,
    "sums": lambda n: "{% for x in xs %}{{ " + " + ".join(["a"] * n) + " }}",
    "names": lambda n: "{% set v = a %}{% for x in xs %}" + "{% set v = v ~ v %}" * n + "{{ v }}",
}


@pytest.mark.parametrize("shape", GROWING)
def test_reading_grows_with_the_template(shape: str) -> None:
    def read(size: int) -> None:
        template = GROWING[shape](size) + "{% endfor %}"
        build("m.pipe", MemoryLoader({"m.pipe": TEXT.replace("TEMPLATE", template)}))

    grows_no_faster_than(1, read, 20, 6)
