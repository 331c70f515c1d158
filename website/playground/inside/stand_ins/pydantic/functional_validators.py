"""Names that are only mentioned in annotations."""

from typing import Any

ModelWrapValidatorHandler = Any
