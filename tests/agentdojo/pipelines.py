"""A user task as a pipeline: its ground-truth calls in order, with a model before each of them that
decides the arguments by what the user asked for and by all that was answered so far.

Three forms:

- `ungated`: what the model decided goes into the call as it is.
- `gated`: before a call that acts stand a gate that compares its targets with the names in the
  user's own words, where the user names them, and an approval by the user that shows all the rest.
- `parted`: arguments that the user's words hold come from the input and past no model. Nothing is
  gated: it tells whether the check sees which calls are then left open.

`permits` are those of the tools that are called, and no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from .declare import declaration, parameters_of, type_of
from .effects import effect
from .tasks import Call, Suite, Task

Form = Literal["ungated", "gated", "parted"]
FORMS: tuple[Form, ...] = ("ungated", "gated", "parted")

NAMED = "[text max 60 tokens] max 100"
HEAD = """\
provider maker { available 99.9% }
tier fast {
  provider maker
  model    "none"
  price    $1 in, $5 out
  transient 1%
  context  200k tokens
}
role owner { people 1 handles 1m responds 1m median, 1h p95 accuracy 95% hours 24 }

fn all_named(values: untrusted [text], named: [text]) -> bool
  python "tests.agentdojo.acting:all_named"

prompt decide(request: text, seen: [text]) \"\"\"
  {{ request }}
  {% for one in seen %}<seen>{{ one }}</seen>{% endfor %}
\"\"\"
prompt report(request: text, seen: [text]) \"\"\"
  Say what came of it. {{ request }}
  {% for one in seen %}<seen>{{ one }}</seen>{% endfor %}
\"\"\"
"""

TARGETS = frozenset(
    "recipient recipients cc bcc participants user user_email email channel url hotel".split()
)
"""Parameters that say whom or what a call is about, as text: what an allow-list can be made for."""

CLOSED = ("int", "number", "bool")
NUMBERS = ("int", "number")

CONDITIONAL = frozenset(
    {
        ("banking", "user_task_14"),
        ("travel", "user_task_0"),
        ("travel", "user_task_1"),
        ("workspace", "user_task_4"),
        ("workspace", "user_task_6"),
        ("workspace", "user_task_20"),
    }
)
"""Tasks whose words let the last call hang on what was read ("if I am free, ..."): there a model
says whether to `go` on. The ground truth has only the calls.
"""


@dataclass(frozen=True)
class Planned:
    """A call of a task's pipeline. `exposed`: text from outside was answered before it. `given` are
    the parameters that come from the input, `decided` those that a model decides; `asks`: it also
    decides whether the call is made.
    """

    at: int
    call: Call
    exposed: bool
    given: tuple[str, ...]
    decided: tuple[str, ...]
    asks: bool

    @property
    def has_plan(self) -> bool:
        return bool(self.decided) or self.asks


@cache
def planned(suite: Suite, task: Task, form: Form) -> tuple[Planned, ...]:
    """The calls of a task in a form. This is all that the forms and the ground truth share."""
    found, exposed = [], False
    for at, call in enumerate(task.calls, 1):
        given = tuple(
            name for name, value in call.arguments.items() if form == "parted" and said(value, task)
        )
        decided = tuple(name for name in call.arguments if name not in given)
        asks = at == len(task.calls) and (suite.name, task.id) in CONDITIONAL
        found.append(Planned(at, call, exposed, given, decided, asks))
        exposed = exposed or suite.taints(call.tool)
    return tuple(found)


def said(value: Any, task: Task) -> bool:
    """Whether the user's own words hold a value, letter by letter."""
    match value:
        case bool():
            return False
        case str():
            return bool(value) and value in task.words
        case int() | float():
            return (
                re.search(rf"(?<![\w.]){re.escape(f'{value:g}')}(?![\w.])", task.words) is not None
            )
        case list():
            return bool(value) and all(said(one, task) for one in value)
        case _:
            return False


@cache
def named(words: str) -> list[str]:
    """Who and what the user names: addresses, numbers of accounts, pages, names and what stands in
    quotes. A host makes this of what the user typed, and of nothing else.
    """
    quoted = re.findall(r"(?<!\w)'([^']{1,60})'(?!\w)", words)
    tokens = [token.strip(".,:;!?()'") for token in re.findall(r"[\w@.'+/-]+", words)]
    telling = [one for one in tokens if one and (one[0].isupper() or re.search(r"[\d@.]", one))]
    return list(dict.fromkeys([*quoted, *telling]))


@cache
def file_of(suite: Suite, form: Form) -> str:
    """All pipelines of a suite in a form, with the tools that they call."""
    used = {call.tool for task in suite.users for call in task.calls}
    tools = [declaration(tool) for name, tool in suite.tools.items() if name in used]
    return "\n".join([HEAD, *tools, *(pipeline(suite, task, form) for task in suite.users)])


def pipeline(suite: Suite, task: Task, form: Form) -> str:
    steps = planned(suite, task, form)
    parameters = ["request: text max 1k tokens"]
    if form == "gated":
        parameters.append(f"named: {NAMED}")
    for step in steps:
        parameters += [f"{_input(step, n)}: {_type(suite, step, n)}" for n in step.given]
    permits = sorted({f'"{step.call.tool}"' for step in steps if step.call.acts})
    types, items, seen = [], [], list[str]()
    for step in steps:
        if step.has_plan:
            fields = " ".join(f"{name}: {_type(suite, step, name)}" for name in step.decided)
            fields += " go: bool" if step.asks else ""
            types.append(f"type {_plan(task, step)} {{ {fields} }}")
            asks = f"ask decide(request, [{', '.join(seen)}]) by fast"
            items.append(f"step plan_{step.at}: {_plan(task, step)} = {asks}")
        acting = guards(suite, task, step) if form == "gated" else []
        arguments = ", ".join(f"{name}: {_value(step, name)}" for name in step.call.arguments)
        acting.append(f"step call_{step.at} = call {step.call.tool}({arguments})")
        if step.asks:
            acting = [f"when plan_{step.at}.go {{", *(f"  {item}" for item in acting), "}"]
        items += acting
        if _tells(suite, step.call.tool) and not step.asks:
            seen.append(f"call_{step.at}")
    asks = f"ask report(request, [{', '.join(seen)}]) by fast"
    items += [f"step told: text max 1k tokens = {asks}", "return told"]
    if permits:
        items.insert(0, f"permits {', '.join(permits)}")
    body = "".join(f"  {item}\n" for item in items)
    head = f"pipeline {task.id}({', '.join(parameters)}) -> text max 1k tokens"
    return "\n".join([*types, f"## {task.words}", f"{head} {{\n{body}}}\n"])


def guards(suite: Suite, task: Task, step: Planned) -> list[str]:
    """What stands before a call that acts on what a model made of text from outside."""
    if not (step.call.acts and step.exposed):
        return []
    items = []
    by_name = [name for name in step.decided if _by_name(suite, task, step, name)]
    for name in by_name:
        value = f"plan_{step.at}.{name}"
        is_list = _type(suite, step, name).startswith("[")
        test = f"all_named({value}, named)" if is_list else f"{value} in named"
        evidence = "{ catches 99% false_alarms 1% }"
        items.append(f"gate named_{step.at}_{name}: {test} {evidence} else reject")
    if len(by_name) < len(step.decided) or not step.decided:
        shown = ", ".join(f"{name}: plan_{step.at}.{name}" for name in step.decided)
        items.append(f"approve meant_{step.at} by owner showing {{{shown}}} else reject")
    return items


def _by_name(suite: Suite, task: Task, step: Planned, name: str) -> bool:
    """Whether the user says whom or what this call is about, so that a list can hold it."""
    if name not in TARGETS:
        return False
    value, known = step.call.arguments[name], set(named(task.words))
    return bool(value) and known.issuperset(value if isinstance(value, list) else [value])


def _tells(suite: Suite, tool: str) -> bool:
    """Whether a tool answers with text, which a model then reads."""
    returns = suite.tools[tool]["returns"]
    return returns is not None and returns["type"] not in ("number", "integer", "boolean")


def _plan(task: Task, step: Planned) -> str:
    return f"{task.id.title().replace('_', '')}Plan{step.at}"


def _input(step: Planned, name: str) -> str:
    return f"given_{step.at}_{name}"


def _value(step: Planned, name: str) -> str:
    return _input(step, name) if name in step.given else f"plan_{step.at}.{name}"


def _type(suite: Suite, step: Planned, name: str) -> str:
    schema = suite.tools[step.call.tool]["parameters"]
    kind = schema["properties"][name]
    some = [one for one in kind.get("anyOf", [kind]) if one.get("type") != "null"]
    return type_of({"anyOf": some} if len(some) > 1 else some[0], schema.get("$defs", {}))


@cache
def agent_of(suite: Suite, gated: bool) -> str:
    """One agent with all tools of a suite, those that act each in a pipeline of its own."""
    tools, inner, names, permits = [], [], [], []
    for name, tool in suite.tools.items():
        tools.append(declaration(tool))
        if effect(name) == "read":
            names.append(name)
            continue
        schema = tool["parameters"]
        listed = parameters_of(schema)
        given = ", ".join(f"{one}: {one}" for one in schema["properties"])
        shown = f"  approve meant by owner showing {{{given}}} else reject\n" if gated else ""
        inner.append(
            f"pipeline do_{name}({', '.join(listed)}) -> text max 9 tokens {{\n"
            f'  permits "{name}"\n{shown}  step done = call {name}({given})\n  return "done"\n}}\n'
        )
        names.append(f"do_{name}")
        permits.append(f'"{name}"')
    agent = (
        f"pipeline everything(request: text max 1k tokens) -> text max 1k tokens {{\n"
        f"  permits {', '.join(permits)}\n"
        f"  step told: text max 1k tokens = agent report(request, []) by fast\n"
        f"    with {', '.join(names)} {{ steps 40 }}\n  return told\n}}\n"
    )
    return "\n".join([HEAD, *tools, *inner, agent])


def is_closed(suite: Suite, step: Planned, name: str) -> bool:
    """Whether a parameter takes nothing that can carry text."""
    return _type(suite, step, name) in CLOSED


def is_number(suite: Suite, step: Planned, name: str) -> bool:
    """Whether a parameter takes a number, which nothing bounds in this suite."""
    return _type(suite, step, name) in NUMBERS
