"""The states that a PRISM text reaches, one by one: a model checker for small models."""

from __future__ import annotations

import re
from collections import defaultdict
from types import CodeType

_COMMAND = re.compile(r"^  \[\] place=(\d+)(?: & (.*?))? -> (.*);$", re.MULTILINE)
_VARIABLE = re.compile(r"^  (\w+) : \[0\.\.\d+\] init (\d+);", re.MULTILINE)
_CONSTANT = re.compile(r"^const double (\w+)(?: = ([^;]+))?;", re.MULTILINE)
_LABEL = re.compile(r'^label "(\w+)" = (.*);$', re.MULTILINE)
_WAY = re.compile(r"(.+?) : (\(\w+'=.*?\)(?= \+ |$))(?: \+ |$)")
_SET = re.compile(r"\((\w+)'=(.*?)\)(?= & \(|$)")


def reached_labels(text: str) -> set[str]:
    """The labels that hold in a state that is reached with a probability above 0.

    A constant that the text leaves open is neither 0 nor 1.
    """
    constants: dict[str, float] = {}
    for name, value in _CONSTANT.findall(text):
        constants[name] = eval(_python(value or "0.5"), {}, dict(constants))
    names = [name for name, _ in _VARIABLE.findall(text)]
    start = tuple(int(value) for _, value in _VARIABLE.findall(text))
    commands = defaultdict(list)
    for place, guard, moves in _COMMAND.findall(text):
        ways = [
            ([(names.index(name), _code(value)) for name, value in _SET.findall(sets)])
            for share, sets in _ways(moves)
            if eval(_python(share), {}, dict(constants)) > 0
        ]
        commands[int(place)].append((_code(guard or "true"), ways))
    seen, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        values = dict(zip(names, state, strict=True))
        for guard, ways in commands[values["place"]]:
            if not eval(guard, {}, values):
                continue
            for sets in ways:
                new = list(state)
                for index, value in sets:
                    new[index] = int(eval(value, {}, values))
                if tuple(new) not in seen:
                    seen.add(tuple(new))
                    waiting.append(tuple(new))
    places = {state[names.index("place")] for state in seen}
    labels = _LABEL.findall(text)
    return {name for name, holds in labels if set(map(int, re.findall(r"\d+", holds))) & places}


def _ways(moves: str) -> list[tuple[str, str]]:
    """Shares and what is set; without a share there is one way."""
    return _WAY.findall(moves) if moves[0] != "(" or " : " in moves else [("1", moves)]


def _code(text: str) -> CodeType:
    return compile(_python(text), text, "eval")


def _python(text: str) -> str:
    """An expression of PRISM as one of Python. `?:` is not written by what is generated here."""
    text = re.sub(r"(?<![<>!=])=(?!=)", "==", text)
    text = re.sub(r"!(?!=)", " not ", text)
    text = text.replace("&", " and ").replace("|", " or ")
    return re.sub(r"\b(true|false)\b", lambda found: found[0].capitalize(), text).strip()
