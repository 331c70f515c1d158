"""Prompts: templates with loops, conditions and filters over whatever their parameters are."""

from __future__ import annotations

from .types import Type
from .world import Offer, World
from .writing import plain, quoted, slip


def prompt(world: World, types: list[Type]) -> None:
    """A prompt over values of these types: one text, two, or a file."""
    w = world.writer
    name = w.name("prompt")
    words, fields = world.params(types, defaults=False)
    body = [line for one in fields for line in lines(world, one.name, one.type, 2)]
    body += ["{% if feedback %}Your last answer: {{ feedback }}{% endif %}"] * world.some(0.5)
    head, at = f"prompt {name}({words})", w.next
    match world.pick.randrange(3):
        case 0:
            _template(world, head + " ", body)
        case 1:
            with w.block(head):
                if world.some(0.6):
                    _template(world, "system ", ["Be brief. {# not shown #}"])
                _template(world, "user ", body)
        case _:
            file = f"prompts/{name}.j2"
            world.files[file] = plain("\n".join(body))
            w.line(f"{head} from {slip('no such file', quoted(file), quoted('gone.j2'))}")
    w.declare(name, "prompt", at)
    for one in fields:
        w.declare(one.name, "parameter", at)
    world.prompts.append(Offer(name, fields, None))


def _template(world: World, before: str, body: list[str]) -> None:
    w = world.writer
    w.line(before + '"""')
    w.indent += 1
    for line in body:
        w.line(line)
    w.indent -= 1
    w.line('"""')


def _show(path: str) -> str:
    return "{{ " + slip("unknown path", path, f"{path}.no_such_field") + " }}"


def lines(world: World, path: str, type: Type, depth: int) -> list[str]:
    """Lines of a template that show a value."""
    pick, item = world.pick, world.writer.name("item")
    if type.optional:
        inner = lines(world, path, type.here, depth)
        test = f"{path} is not none" if type.kind == "bool" else path
        return [f"{{% if {test} %}}", *inner, "{% endif %}", *_else(world, path, type)]
    match type.kind:
        case "record" if depth:
            fields = world.names.types.fields[type.name]
            some = pick.sample(fields, min(len(fields), pick.randint(2, 5)))
            return [
                line
                for one in some
                if one.type.kind not in ("json", "record") or depth > 1
                for line in lines(world, f"{path}.{one.name}", one.type, depth - 1)
            ]
        case "list":
            assert type.inner is not None
            if type.inner.kind == "text" and pick.random() < 0.4:
                joined = slip("unknown filter", 'join(", ")', "jion")
                return [f"{{{{ {path} | {joined} }}}} {{{{ {path} | length }}}}"]
            inner = lines(world, item, type.inner, depth - 1)
            head = f"{{% for {item} in {slip('no list', path, '3')} %}}"
            other = ["{% else %}none"] * world.some(0.3)
            return [head, "{{ loop.index }}", *inner, *other, "{% endfor %}"]
        case "map":
            head = f"{{% for key, value in {path} | items %}}"
            return [f"{head}{{{{ key }}}}: {{{{ value }}}}{{% endfor %}}"]
        case "bool":
            other = "{% elif not " + path + " %}no" if world.some(0.3) else "{% else %}no"
            return [f"{{% if {path} %}}yes{other}{{% endif %}}"]
        case "text":
            ways = (
                f"{{{{ {path} | upper }}}}",
                f"{{{{ {path} | trim }}}}",
                _show(path),
                _show(path),
            )
            return [f"<{item}>{pick.choice(ways)}</{item}>"]
        case "json" | "record":
            return [f"{{{{ {path} | tojson }}}}"]
        case _ if pick.random() < 0.2:
            return [f"{{% set {item} = {path} %}}{{{{ {item} }}}}"]
        case _:
            return [_show(path)]


def _else(world: World, path: str, type: Type) -> list[str]:
    """Sometimes what may be absent again, in a filter that says what stands for it."""
    if type.kind != "text" or not world.some(0.4):
        return []
    right = f'{{{{ {path} | default("nothing", true) }}}}'
    return [slip("absent in a template", right, f"{{{{ {path} }}}}")]
