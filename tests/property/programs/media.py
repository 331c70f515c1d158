"""A pipeline that is shown pictures and documents, and what can be got wrong about them."""

from __future__ import annotations

from .world import World
from .writing import quoted, slip


def scanned(world: World) -> None:
    """A type, a prompt, a tool and a pipeline over pictures and documents, and a test of it."""
    w, pick = world.writer, world.pick
    case, see, put = w.name("Case"), w.name("prompt"), w.name("tool")
    most, label = pick.randint(1, 90), pick.choice(("", "untrusted ", "private "))
    pages = slip("wrong unit", f"{most} pages", str(most))
    with w.block(f"type {case}"):
        w.line(f"photo: {label}{slip('unknown type', 'image', 'picture')}")
        w.line(f"papers: [{label}document max {pages}] max 3")
    parts = [slip("text of a picture", "{{ case.photo }}", "{{ case.photo | upper }}")]
    parts += ["{% for paper in case.papers %}{{ paper }}{% endfor %}"]
    parts += [slip("unknown path", "{{ case.papers | length }}", "{{ case.sheets }}")]
    pick.shuffle(parts)
    w.line(f'prompt {see}(case: {case}) """{" ".join(parts)}"""')
    with w.block(f"tool {put}(photo: image) -> document max {most} pages"):
        w.line("effect read")
        w.line("succeeds 99%")
        w.line("timeout 9s")
    main, step, page = w.name("pipeline"), w.name("step"), w.name("step")
    extra = pick.random() < 0.5
    given = f"case: {case}" + ", extra: image?" * extra
    tier = pick.choice([one for one in world.tiers if one != "haiku"] or world.tiers)
    with w.block(f"pipeline {main}({given}) -> text"):
        w.line("budget $9, 9m")
        if pick.random() < 0.5:
            mean = slip("wrong unit", f"{pick.randint(1, 3)} pages", "3 tokens")
            w.line(f"traffic 9/day {{ {page}: {mean} mean }}" if most >= 3 else "traffic 9/day { }")
        call = f"{put}({slip('wrong type of an argument', 'case.photo', 'case.papers')})"
        kept = slip("picture in a cache", "timeout 8s", "cache 1h by case.photo")
        w.line(f'step {page} = call {call} {{ {kept} }} else fail "no page"')
        answer = slip("picture as an answer", "text max 9 tokens", "image")
        w.line(f"step {step}: {answer} = ask {see}(")
        w.line(f"  {{photo: case.photo, papers: [{page}]}}")
        w.line(f') by {tier} {{ accuracy 90% output 9 tokens max timeout 9s }} else "nothing"')
        if extra:
            test = slip("compared pictures", "extra?", "extra == case.photo")
            w.line(f'when {test} {{ fail "one too many" }}')
        w.line(f"return {step}")
    with w.block(f'test "{main} sees"'):
        photo = '{path: "a.png"}'
        coded = '{data: "aGVsbG8=", media_type: "image/png"}'
        wrong = slip("unknown part", pick.choice((photo, coded)), '{file: "a.png"}')
        w.line(f'given {main}(case: {{photo: {wrong}, papers: [{{path: "b.pdf"}}]}})')
        w.line(f'mock {page} = {{path: "b.pdf"}}')
        w.line(f"mock {step} = {slip('wrong type', quoted('seen'), '3')}")
        w.line('expect answered "seen"')
