"""One template that is read: what its names are, and which paths it reads in which way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pipelang.diagnostics import Help, codes
from pipelang.records import dataclass, field, replace
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.templates.positions import TemplateSource
from pipelang.semantics.types import JSON, Type, is_medium, media_in, present

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A value in a template: its type, and its path from a parameter if it has one.

    `times` is how much longer than the value at the path it can have become. `place` is the one
    value that it is, where the path is that of all elements of a list: what is known of one of them
    is not known of the others. `either` are the values of which it is one, where branches have
    given a name different ones. `neighbour` is what stands before and behind an element, of the
    `loop` of a loop.
    """

    type: Type
    path: Path | None
    times: int = 1
    place: Path | None = None
    either: tuple[Variable, ...] = ()
    neighbour: Variable | None = None

    def sources(self) -> tuple[Path, ...]:
        """The paths of all values that it may be."""
        if self.either:
            return tuple(path for one in self.either for path in one.sources())
        return () if self.path is None else (self.path,)

    def inside(self) -> Path | None:
        """The path of the elements of a list."""
        return None if self.path is None else (*self.path, "*")

    def written(self) -> str:
        """The value as a template names it."""
        first, *others = self.place or self.path or ("this",)
        return ".".join((first.partition("@")[0], *others))


Names = dict[str, Variable]


def one_of(values: Sequence[Variable]) -> Variable:
    """A value that is one of several, nobody knows which."""
    kinds = list(dict.fromkeys(replace(one, place=None) for one in values))
    if len(kinds) == 1:
        return values[0] if len({one.place for one in values}) == 1 else kinds[0]
    ways = tuple(dict.fromkeys(way for one in kinds for way in one.either or (one,)))
    type = kinds[0].type if len({one.type for one in kinds}) == 1 else JSON
    return Variable(type, None, either=ways)


def for_each(value: Variable, made: Callable[[Variable], Variable]) -> Variable:
    """Make something of a value: of each that it may be."""
    return one_of([made(one) for one in value.either]) if value.either else made(value)


@dataclass(slots=True)
class Reading:
    """One template that is read. `present` are the paths that are known to be there, `used` says
    how often each path is read as it is, and not only on the way to something inside it. `loops`
    are the paths of lists of which it is read how long they are: what is shown of their elements is
    read where it is shown.
    `is_system` says that it is the text before the user's, which only has words.
    """

    context: Context
    prompt: str
    source: TemplateSource
    used: dict[Path, int] = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    loops: dict[Path, None] = field(default_factory=dict)
    present: frozenset[Path] = frozenset()
    is_system: bool = False
    places: int = 0

    def tell(
        self, line: int, why: str, *, word: str | None = None, help: Help | None = None
    ) -> None:
        place = self.source.find(line, word)
        self.context.tell(codes.TEMPLATE, place, prompt=self.prompt, why=why, help=help)

    def reads(self, value: Variable) -> Variable:
        """A value is read; with its own path, if it has one."""
        for path in value.sources():
            self.used[path] = self.used.get(path, 0) + 1
        return value

    def passes(self, value: Variable) -> None:
        """A value was only on the way to something inside it."""
        for path in value.sources():
            if self.used.get(path):
                self.used[path] -= 1

    def counts(self, value: Variable) -> None:
        """Of a list only how many elements it has is read."""
        self.passes(value)
        self.loops |= dict.fromkeys(value.sources())

    def named(self, name: str, value: Variable) -> Variable:
        """A value under a name: it is in the place that it has, else in one of its own."""
        self.places += 1
        return value if value.place else replace(value, place=(f"{name}@{self.places}",))

    def shows(self) -> tuple[Path, ...]:
        """The paths that the template reads, but for those of lists that it only counts."""
        found = [path for path, times in self.used.items() if times]
        seen = {path[0] for path in (*found, *self.loops)}
        return (*found, *((name,) for name in self.variables if name not in seen))

    @contextmanager
    def knowing(self, present: frozenset[Path]) -> Iterator[None]:
        """While reading a branch that is only taken where these paths are there."""
        before = self.present
        self.present = before | present
        try:
            yield
        finally:
            self.present = before

    def alone(self, line: int, value: Variable) -> None:
        """Report a picture or document, or what holds one, that is put into a text by anything but
        itself.
        """
        if is_medium(present(value.type)):
            why = "stands where it is named, and nothing else can be made of it"
            help = "write `{{ NAME }}` where the model should see it"
        elif media_in(value.type):
            why = "holds pictures or documents, which no text can show"
            help = "name each where the model should see it, such as `{{ ticket.photo }}`"
        else:
            return
        name = ".".join(part for part in value.path or ("this",) if part != "*")
        word = (value.path or (None,))[-1]
        self.tell(line, f"`{name}` {why}", word=None if word == "*" else word, help=help)

    def is_present(self, value: Variable) -> bool:
        return value.place in self.present

    def absent(self, line: int, value: Variable) -> None:
        """Report a value that may be absent where it is used."""
        name = value.written()
        help = f"ask first: {{% if {name} %}}...{{% endif %}}"
        word = name.rsplit(".", 1)[-1]
        self.tell(line, f"`{name}` may be absent here", word=word, help=help)
