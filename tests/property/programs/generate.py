"""One program from a number: the same number always gives the same program."""

from __future__ import annotations

from random import Random

from .media import scanned
from .pipelines import claims, pipeline, scenarios
from .prompts import prompt
from .shapes import LIST, SIGNATURES, declare_types
from .types import TEXT, Type
from .world import World
from .writing import Program, Writer

EVIDENCE = '{"confidence": 0.9, "correct": true}\n{"confidence": 0.2, "correct": false}\n'
SHARED = """enum Mood { calm cross }

role night_shift { people 2 handles 4m }
"""


def program(seed: int) -> Program:
    """A program of a hundred to some hundred lines that uses most of the language."""
    pick = Random(f"program {seed}")
    world = World(pick, Writer(pick))
    w = world.writer
    if pick.random() < 0.3:
        w.line("language 1", ("newer language", "language 2"))
    w.line("## A program that somebody could have written.")
    w.line("use std.tiers { haiku }", ("unknown library", "use std.tears"))
    w.line("use std.checks { no_secrets }", ("unknown import", "use std.checks { no_such }"))
    if pick.random() < 0.3:
        w.line("use std.roles")
    w.line('use "shared.pipe"', ("no such file", 'use "gone.pipe"'))
    w.line()
    world.tiers.append("haiku")
    world.roles.append("night_shift")
    types = declare_types(world)
    world.setting("duration", 1, 60, "10s", "1s..60s")
    world.setting("probability", 50, 99, "70%", "50%..99%")
    for params, returns in pick.sample(SIGNATURES, pick.randint(3, 6)):
        world.function(params, returns)
    providers = [world.provider() for _ in range(2)]
    for provider in providers:
        world.tier(provider)
    for _ in range(pick.randint(1, 2)):
        world.role()
    _tools(world, types)
    world.memory(TEXT, types["answer"])
    world.memory(TEXT, Type("list", inner=Type("text", most=40), most=20))
    for shown in ([types["ticket"]], [types["ticket"], LIST], [TEXT.maybe, types["inner"]]):
        prompt(world, shown)
    texts = [Type("text", most=60), types["answer"], types["enum"]]
    for returns in pick.sample(texts, pick.randint(1, 2)):
        pipeline(world, types, returns, pick.randint(1, 3), whole=False)
    made = pipeline(world, types, types["answer"], pick.randint(3, 6), whole=True)
    if pick.random() < 0.5:
        scanned(world)
    claims(world, made)
    scenarios(world, made)
    return w.program({**world.files, "evals/a.jsonl": EVIDENCE, "shared.pipe": SHARED})


def _tools(world: World, types: dict[str, Type]) -> None:
    pick, text = world.pick, Type("text", most=30)
    world.tool([TEXT, Type("int", low=1, high=10)], LIST, "read")
    world.tool([types["ticket"]], text, "pure")
    world.tool([TEXT, types["enum"]], pick.choice((None, text)), "write")
    world.tool([TEXT], pick.choice((None, types["inner"])), "irreversible")
    if pick.random() < 0.5:
        world.tool([types["inner"]], Type("number"), "read")
    if pick.random() < 0.3:
        world.tool([TEXT], text, "irreversible")
