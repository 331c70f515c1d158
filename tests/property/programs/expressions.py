"""Expressions of a wanted type, out of what can be read at a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from .scope import Names, Scope
from .types import ORDERED, TEXT, Type, constant, record
from .writing import plain, slip

Way = Callable[[], str]


class Expressions:
    """Writes expressions. Whatever is put together stands in parentheses where it may be a part."""

    def __init__(self, pick: Random, names: Names) -> None:
        self.pick = pick
        self.names = names
        self.types = names.types

    def make(self, scope: Scope, type: Type, depth: int = 2) -> str:
        """An expression of a type, without parentheses around it."""
        text = self.part(scope, type, depth)
        bare = plain(text)
        if bare.startswith("(") and _closes_at_end(bare) and text.startswith("("):
            return text[1:-1]
        return text

    def part(self, scope: Scope, type: Type, depth: int) -> str:
        """An expression that can be a part of another."""
        ways: list[Way] = [lambda: self.read(scope, type, depth)] * 3
        if depth > 0:
            ways += [lambda: self.choice(scope, type, depth - 1)]
            ways += [lambda: self.by_match(scope, type, depth - 1)]
            ways += [lambda: self.narrowed(scope, type, depth - 1)]
            ways += [lambda: self.called(scope, type, depth - 1)]
            ways += self.of_type(scope, type, depth - 1) * 2
        return self.pick.choice(ways)()

    def read(self, scope: Scope, type: Type, depth: int) -> str:
        """A value in scope, a setting, or what is written down."""
        paths = scope.fitting(self.types, type)
        paths += [name for name, kind in self.names.settings.items() if _same(kind, type)]
        if paths and (type.kind == "time" or self.pick.random() < 0.8):
            path = self.pick.choice(paths)
            return slip("unknown field", path, f"{path}.no_such_field") if "." in path else path
        if type.kind == "record" and not type.optional and depth > 0:
            smaller = lambda one: self.part(scope, one, 0)  # noqa: E731
            return record(self.pick, self.types, type, smaller)
        return constant(self.pick, self.types, type, max(depth, 0))

    def choice(self, scope: Scope, type: Type, depth: int) -> str:
        test = self.make(scope, Type("bool"), depth)
        first, other = self.make(scope, type, depth), self.make(scope, type, depth)
        test = slip("condition", test, "3")
        return f"(if {test} then {first} else {other})"

    def by_match(self, scope: Scope, type: Type, depth: int) -> str:
        found = scope.of_kind(self.types, "enum", "bool", "text")
        if not found:
            return self.read(scope, type, depth)
        path, subject = self.pick.choice(found)
        members = self.types.members.get(subject.name, ["true", "false"])
        make = lambda: self.make(scope, type, min(depth, 0))  # noqa: E731
        if subject.kind == "text":
            arms = [f'"a", "b" => {make()}', f"else => {make()}"]
        elif len(members) > 2 and self.pick.random() < 0.5:
            arms = [f"{members[0]}, {members[1]} => {make()}", f"else => {make()}"]
        else:
            arms = [f"{member} => {make()}" for member in members]
        words = "  ".join(arms)
        right = slip("missing arm", words, "  ".join(arms[:-1]))
        right = slip("double arm", right, f"{words}  {plain(arms[0])}")
        return f"(match {path} {{ {right} }})"

    def narrowed(self, scope: Scope, type: Type, depth: int) -> str:
        """Something that may be absent, where it was asked for."""
        found = [(path, kind) for path, kind in scope.absent(self.types) if _same(kind, type)]
        if not found or type.optional:
            return self.read(scope, type, depth)
        path, _ = self.pick.choice(found)
        other = self.make(scope, type, depth)
        there, gone = f"if {path}? then ", f"if not {path}? then {other} else "
        if self.pick.random() < 0.3:
            return f"({slip('absent', gone, '')}{path})"
        if self.pick.random() < 0.3:
            return f"(if {path} == none then {other} else {path})"
        return f"({slip('absent', there + path + ' else ' + other, path)})"

    def called(self, scope: Scope, type: Type, depth: int) -> str:
        clock = bool(scope.of_kind(self.types, "time"))
        fitting = [
            one
            for one in self.names.functions
            if _same(one.returns, type) and (clock or Type("time") not in one.params)
        ]
        if not fitting:
            return self.read(scope, type, depth)
        function = self.pick.choice(fitting)
        arguments = [self.make(scope, one, min(depth, 0)) for one in function.params]
        if function.params[0].optional:  # it may be left out
            return f"{function.name}({', '.join(arguments)})"
        return f"{function.name}({self.given(arguments)})"

    def given(self, arguments: list[str]) -> str:
        """Arguments by position, and what can be wrong with them."""
        words = ", ".join(arguments)
        right = slip("extra argument", words, ", ".join([*arguments, "1"]))
        if arguments:
            right = slip("missing argument", right, ", ".join(arguments[1:]))
            right = slip("named argument", right, ", ".join([*arguments[:-1], "no_such: 1"]))
        return right

    # ------------------------------------------------------------------ by the type that is wanted

    def of_type(self, scope: Scope, type: Type, depth: int) -> list[Way]:
        if type.optional:
            return [lambda: self.perhaps(scope, type, depth)]
        ranged = type.low is not None
        match type.kind:
            case "bool":
                return [lambda: self.test(scope, depth)] * 4
            case "text":
                return [lambda: f"first({self.make(scope, TEXT, depth)}, 20 tokens)"]
            case "list":
                return self.lists(scope, type, depth)
            case "int" | "number" | "probability" | "money" | "duration" | "time" if not ranged:
                return self.quantities(scope, type, depth)
            case _:
                return [lambda: self.read(scope, type, depth)]

    def lists(self, scope: Scope, type: Type, depth: int) -> list[Way]:
        """Lists that are made of others."""
        assert type.inner is not None
        ways: list[Way] = [lambda: self.read(scope, type, depth)]
        for held in scope.fitting(self.types, type)[:2]:
            other = constant(self.pick, self.types, replace(type, most=2), 1)
            other = other if plain(other) != "[]" else held
            ways += [
                lambda held=held: f"first({held}, {slip('wrong unit', '3', '3 tokens')})",
                lambda held=held, other=other: f"({held} + {slip('wrong type', other, '3')})",
            ]
        if self.through(scope):
            ways.append(lambda: f"[{self.elements(scope, type.inner, depth)}]")
        return ways

    def through(self, scope: Scope) -> list[tuple[str, Type]]:
        """The lists that a comprehension can go through."""
        return [
            (path, one)
            for path, one in scope.of_kind(self.types, "list")
            if one.most is not None and one.inner is not None
        ]

    def elements(self, scope: Scope, type: Type, depth: int) -> str:
        """`E for x in XS if C`, with an E of a type."""
        path, one = self.pick.choice(self.through(scope))
        assert one.inner is not None
        name = self.names.element()
        inside = scope.with_value(name, one.inner)
        test = ""
        if one.inner.optional:
            test, inside = f" if {name}?", inside.knowing(name)
        elif self.pick.random() < 0.5:
            test = f" if {slip('condition', self.make(inside, Type('bool'), 1), '3')}"
        item = self.part(inside, type, min(depth, 1))
        path = slip("list without a bound", path, "3")
        return f"{item} for {name} in {path}{test}"

    def perhaps(self, scope: Scope, type: Type, depth: int) -> str:
        """`xs[i]` and `m[k]` may be absent."""
        ordered = type.kind in ORDERED and type.low is None
        if ordered and self.through(scope) and self.pick.random() < 0.4:
            function = self.pick.choice(("min", "max"))
            return f"{function}({self.elements(scope, type.here, depth)})"
        kinds = scope.of_kind(self.types, "list", "map")
        fitting = [(path, one) for path, one in kinds if one.inner and _same(one.inner, type)]
        if not fitting:
            return self.read(scope, type.here, depth)
        path, one = self.pick.choice(fitting)
        key = str(self.pick.randrange(3)) if one.kind == "list" else '"a"'
        return f"{path}[{slip('wrong key', key, '70%')}]"

    def quantities(self, scope: Scope, type: Type, depth: int) -> list[Way]:
        def make(kind: str) -> str:
            return self.part(scope, Type(kind), depth)

        kind = type.kind
        if kind == "time":
            return [lambda: f"({make('time')} + {make('duration')})"]
        ways: list[Way] = [
            lambda: f"({make(kind)} {slip('wrong unit', '+ ' + make(kind), '+ true')})",
            lambda: f"({make(kind)} - {make(kind)})",
            lambda: f"min({make(kind)}, {make(kind)})",
            lambda: f"max({make(kind)}, {make(kind)}, {slip('wrong unit', make(kind), 'true')})",
        ]
        lists = [path for path, one in scope.of_kind(self.types, "list") if one.inner == type]
        if lists and kind != "probability":
            ways.append(lambda: f"sum({self.pick.choice(lists)})")
        if self.through(scope) and kind != "probability":
            ways.append(lambda: f"sum({self.elements(scope, Type(kind), depth)})")
        match kind:
            case "int":
                counted = scope.of_kind(self.types, "list", "map", "text")
                if counted:
                    ways.append(lambda: f"len({self.pick.choice(counted)[0]})")
                ways.append(lambda: f"round({make('number')})")
                ways.append(lambda: f"({make('int')} * {make('int')})")
                ways.append(lambda: f"(-{make('int')})")
                if scope.budget:
                    ways.append(lambda: "budget.remaining.steps")
            case "number":
                ways.append(lambda: f"({make('money')} / {self.divisor(scope, 'money')})")
                ways.append(lambda: f"({make('number')} / {self.divisor(scope, 'int')})")
                ways.append(lambda: f"round({make('number')}, 2)")
                ways.append(lambda: f"({make('probability')} * {make('number')})")
            case "money" | "duration":
                ways.append(lambda: f"({make(kind)} * {make('number')})")
                ways.append(lambda: f"({make('probability')} * {make(kind)})")
                ways.append(lambda: f"({make(kind)} / {self.divisor(scope, 'int')})")
                ways.append(lambda: f"(-{make(kind)})")
                if scope.budget:
                    left = {"money": "budget.remaining", "duration": "budget.remaining.time"}[kind]
                    ways.append(lambda: left)
            case _:
                ways.append(lambda: f"(100% - {make('probability')})")
        return ways

    def divisor(self, scope: Scope, kind: str) -> str:
        """Something that cannot be 0."""
        paths = [
            path
            for path, type in scope.of_kind(self.types, kind)
            if type.low is not None and type.low > 0
        ]
        literal = {"int": "4", "money": "$3"}[kind]
        zero = {"int": "(1 - 1)", "money": "($1 - $1)"}[kind]
        right = self.pick.choice(paths) if paths and self.pick.random() < 0.7 else literal
        return slip("divisor", right, zero)

    def test(self, scope: Scope, depth: int) -> str:
        """Something that holds or not."""

        def make() -> str:
            return self.part(scope, Type("bool"), depth)

        ways: list[Way] = [
            lambda: f"({make()} and {slip('wrong type', make(), '1')})",
            lambda: f"({make()} or {make()})",
            lambda: f"(not {make()})",
        ]
        here = scope.of_kind(self.types, *ORDERED)
        if here:
            ways += [lambda: self.compared(scope, *self.pick.choice(here), depth)] * 3
        equal = scope.of_kind(self.types, "text", "enum", "bool")
        if equal:
            ways += [lambda: self.equal(scope, *self.pick.choice(equal))] * 2
        if self.through(scope):
            word = self.pick.choice(("any", "all"))
            ways.append(lambda: f"{word}({self.elements(scope, Type('bool'), depth)})")
        texts = [path for path, type in equal if type.kind == "text"]
        if texts and self.names.patterns:
            ways.append(lambda: self.matched(self.pick.choice(texts)))
        held = scope.of_kind(self.types, "list", "map")
        if held:
            ways.append(lambda: self.held(scope, *self.pick.choice(held)))
        maybe = scope.absent(self.types)
        if maybe:
            ways += [lambda: self.there(scope, *self.pick.choice(maybe))] * 2
        return self.pick.choice(ways)()

    def compared(self, scope: Scope, path: str, type: Type, depth: int) -> str:
        op = self.pick.choice(("<", "<=", ">", ">=", "==", "!="))
        other = self.part(scope, Type(type.kind), depth)
        return f"({path} {op} {slip('wrong type', other, 'true')})"

    def equal(self, scope: Scope, path: str, type: Type) -> str:
        wanted = replace(type, labels="", pattern="", most=40 if type.kind == "text" else None)
        values = [constant(self.pick, self.types, wanted, 0) for _ in range(3)]
        match self.pick.randrange(4):
            case 0 if type.kind != "bool":
                return f"({path} in [{', '.join(values)}])"
            case 1 if type.kind != "bool":
                return f"({path} not in [{values[0]}])"
            case 2:
                return f"({path} != {values[0]})"
            case _:
                return f"({path} == {values[0]})"

    def matched(self, path: str) -> str:
        name = self.pick.choice(self.names.patterns)
        return f"({slip('wrong type', path, '3')} matches {name})"

    def held(self, scope: Scope, path: str, type: Type) -> str:
        """Something is in a list or a map, or there is something at all."""
        assert type.inner is not None
        if type.kind == "map":
            return f'("a" in {path})'
        if type.inner.kind in ("text", "enum", "int") and self.pick.random() < 0.5:
            item = self.part(scope, replace(type.inner, optional=False), 0)
            return f"({item} in {path})"
        return f"{path}[0]?"

    def there(self, scope: Scope, path: str, type: Type) -> str:
        """Tests of something that may be absent, and what narrowing makes of them."""
        inner = scope.knowing(path)
        if type.kind in ORDERED and type.kind != "time":
            test = f"{path} > {constant(self.pick, self.types, Type(type.kind), 0)}"
        elif type.kind in ("text", "enum", "bool"):
            test = plain(self.equal(inner, path, type.here))
        else:
            return self.pick.choice((f"{path}?", f"(not {path}?)", f"({path} != none)"))
        if type.kind not in ORDERED:
            return f"({path}? and {test})"
        if self.pick.random() < 0.5:
            return f"({slip('absent', f'{path}? and {test}', test)})"
        return f"({slip('absent', f'not {path}? or {test}', f'{path}? or {test}')})"


def _same(found: Type, wanted: Type) -> bool:
    """One kind of value, whether it may be absent or not, where no range is asked for."""
    same = (found.kind, found.name) == (wanted.kind, wanted.name)
    return same and wanted.low is None and found.inner is None


def _closes_at_end(text: str) -> bool:
    """Whether the first parenthesis is closed by the last letter."""
    depth = 0
    quoted = False
    for at, letter in enumerate(text):
        quoted ^= letter == '"'
        if quoted:
            continue
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return at == len(text) - 1
    return False
