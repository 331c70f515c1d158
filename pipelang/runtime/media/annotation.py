"""Pictures and documents among values: the annotation by which pydantic checks them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from pipelang.runtime.media.given import medium_from
from pipelang.runtime.media.medium import Media
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.types import Scalar


def medium_annotation(type: Scalar) -> Any:
    """The annotation of pictures or documents: instances of `Media`, in JSON what tells of them."""
    kind, most = type.kind.value, type.max_pages

    def checked(value: Any) -> Media:
        medium = medium_from(kind, value)
        if most is not None and medium.pages is not None and medium.pages > most:
            raise ValueError(f"a document of {medium.pages} pages is longer than {most} pages")
        return medium

    shown = PlainSerializer(Media.as_json, when_used="json")
    return Annotated[Any, BeforeValidator(checked), shown, WithJsonSchema(json_schema(type))]
