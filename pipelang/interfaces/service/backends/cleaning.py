"""Events as they leave the server: without secrets behind references, and without folders."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.service.backend import Occurrence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.runtime.engine.events import Event


class Cleaner:
    """Cleans the events of the pipelines that are served."""

    def __init__(self, deployed: Mapping[str, Deployed]) -> None:
        from pipelang.runtime.engine.secrets import notations, secrets_behind

        references = [
            reference
            for one in deployed.values()
            if one.handle is not None
            for reference in one.handle.references
        ]
        self._secrets = notations(secrets_behind(tuple(dict.fromkeys(references))))

    def occurrence(self, event: Event, number: int | None) -> Occurrence:
        """An event, to be told to whoever follows its run."""
        data: Any = event.data
        if event.kind == "run" and "file" in data:
            data = {**data, "file": PurePath(str(data["file"])).name}
        if self._secrets:
            from pipelang.runtime.engine.secrets import redacted_json

            data = redacted_json(data, self._secrets)
        return Occurrence(number, event.kind, event.name, event.at, data)
