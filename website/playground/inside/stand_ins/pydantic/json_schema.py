"""Names that are only mentioned in annotations."""

from typing import Any

JsonSchemaValue = dict[str, Any]
