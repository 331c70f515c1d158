"""Inputs of runs: JSON that a host gives, as values of a pipeline's types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pipelang.runtime.engine.values import Misfit, Types
from pipelang.runtime.media.given import MediaSources, with_media
from pipelang.runtime.media.looking import NotMedia
from pipelang.semantics import program as p
from pipelang.semantics.types import OptionalType, media_in


class InputError(ValueError):
    """An input that is missing, unknown or does not fit its type. Raised before anything runs."""


def checked_inputs(
    types: Types,
    pipeline: p.Pipeline,
    given: Mapping[str, Any],
    sources: MediaSources | None = None,
) -> dict[str, Any]:
    """Convert JSON inputs to values of a pipeline's types. Raises `InputError`."""
    names = tuple(parameter.key for parameter in pipeline.parameters)
    values: dict[str, Any] = {}
    for name in given:
        if name not in names:
            listed = ", ".join(f"`{n}`" for n in names) or "none"
            raise InputError(f"`{pipeline.name}` has no input `{name}`; its inputs: {listed}")
    for parameter in pipeline.parameters:
        if parameter.key in given:
            value = given[parameter.key]
        elif parameter.has_default:
            value = parameter.default
        elif isinstance(parameter.type, OptionalType):
            value = None
        else:
            raise InputError(f"`{pipeline.name}` needs the input `{parameter.key}`")
        try:
            read = with_media(parameter.type, value, sources or MediaSources())
            values[parameter.name] = types.check(parameter.type, read)
        except (Misfit, NotMedia) as misfit:
            raise InputError(f"input `{parameter.key}`: {misfit}") from None
    return values


def has_media(pipeline: p.Pipeline) -> bool:
    """Whether an input of a pipeline is or holds a picture or document."""
    return any(media_in(parameter.type) for parameter in pipeline.parameters)


async def read_ahead(
    pipeline: p.Pipeline,
    given: Mapping[str, Any],
    inputs: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Inputs whose pictures and documents are read, by `inputs` in a thread: the loop goes on.
    Raises `InputError`.
    """
    if not has_media(pipeline):
        return given
    return with_read_media(pipeline, given, await asyncio.to_thread(inputs, given))


def with_read_media(
    pipeline: p.Pipeline, given: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Inputs as they were given, but for those with pictures and documents, which were read."""
    read = {
        parameter.key: values[parameter.name]
        for parameter in pipeline.parameters
        if parameter.key in given and media_in(parameter.type)
    }
    return {**given, **read}
