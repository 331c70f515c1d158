"""Deployments: the pipelines that a server serves, with what was found out about them."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelang.analysis.metrics.analyse import Analysis
    from pipelang.interfaces.check.check import Checked
    from pipelang.runtime.host.handle import Handle, LoadedProgram


class Deployed:
    """A pipeline that is served, and the report of `check` about its file. `handle` runs it; it is
    None where a tool is missing here, and runs are left to workers elsewhere.
    """

    def __init__(
        self, loaded: LoadedProgram, name: str, checked: Checked, handle: Handle | None = None
    ) -> None:
        self.loaded = loaded
        self.pipeline = loaded.program.pipelines[name]
        self.checked = checked
        self.handle = handle

    @property
    def name(self) -> str:
        return self.pipeline.name

    @property
    def doc(self) -> str | None:
        """The comment above the pipeline."""
        return self.pipeline.doc or None

    @property
    def program(self) -> str:
        """The hash of the program."""
        return self.loaded.hash

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of people in the program."""
        return tuple(self.loaded.program.roles)

    @cached_property
    def analysis_result(self) -> Analysis | None:
        """The analysis of the pipeline."""
        found = [one for one in self.checked.analyses if one.pipeline.name == self.name]
        return found[0] if found else None

    @cached_property
    def report(self) -> dict[str, Any]:
        """The entry of the pipeline in the report of `check --format json`, with the findings of
        its file.
        """
        from pipelang.interfaces.check.check import report_json

        whole = report_json([self.checked])
        return {
            "pipeline": self.name,
            "program": self.program,
            "analysis": whole["pipelines"].get(self.name),
            "review": whole["review"],
            "diagnostics": [_without_folder(one) for one in whole["diagnostics"]],
        }

    @cached_property
    def graph(self) -> str:
        """The pipeline as a picture in SVG."""
        from pipelang.interfaces.export.flow import flow
        from pipelang.interfaces.export.graph import picture
        from pipelang.interfaces.export.svg import svg

        program = self.loaded.program
        return svg(picture(flow(program, [self.name], self.checked.sources)))

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of what goes in."""
        return self._schema("input")

    @cached_property
    def result_schema(self) -> dict[str, Any]:
        """The JSON Schema of what a run answers."""
        return self._schema("result")

    def _schema(self, which: str) -> dict[str, Any]:
        """A schema of its own: the definition itself at the root, what it mentions as `$defs`."""
        from pipelang.interfaces.export.jsonschema import jsonschema

        whole = jsonschema(self.loaded.program, [self.name])
        types = whole["$defs"]
        wanted = types.pop(f"{self.name}.{which}")
        for other in ("input", "result"):
            types.pop(f"{self.name}.{other}", None)
        head = {"$schema": whole["$schema"], "$comment": whole["$comment"]}
        used = _mentioned(wanted, types)
        return {**head, **wanted, **({"$defs": used} if used else {})}

    async def prepared(self, what: str) -> Any:
        """One of the properties above that take long, worked out in a thread the first time."""
        if what not in self.__dict__:
            return await asyncio.to_thread(getattr, self, what)
        return getattr(self, what)


def _mentioned(schema: Any, types: dict[str, Any]) -> dict[str, Any]:
    """The definitions that a schema needs, with what these need."""
    found: dict[str, Any] = {}
    left = [schema]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix("#/$defs/")
            if name in types and name not in found:
                found[name] = types[name]
                left.append(types[name])
            left += node.values()
    return found


def _without_folder(diagnostic: dict[str, Any]) -> dict[str, Any]:
    """A finding without where on this machine its file lies."""
    from pathlib import PurePath

    def shorter(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: PurePath(part).name
                if key == "file" and isinstance(part, str)
                else shorter(part)
                for key, part in value.items()
            }
        return [shorter(part) for part in value] if isinstance(value, list) else value

    made: dict[str, Any] = shorter(diagnostic)
    return made


def deployed(
    served: Sequence[tuple[Checked, LoadedProgram, Mapping[str, Handle]]],
) -> dict[str, Deployed]:
    """The pipelines of several files by their names, with the handles of those that can run here.
    Raises ValueError where two have one name.
    """
    found: dict[str, Deployed] = {}
    for checked, loaded, handles in served:
        for name in loaded.pipelines:
            if name in found:
                first = found[name].checked.path
                raise ValueError(f"`{first}` and `{checked.path}` both have a pipeline `{name}`")
            found[name] = Deployed(loaded, name, checked, handles.get(name))
    return found
