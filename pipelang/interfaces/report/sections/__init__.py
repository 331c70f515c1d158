"""The sections of the report on one pipeline, each rendered from the checked result."""
