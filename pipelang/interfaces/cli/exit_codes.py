"""Exit codes of `pipelang`; 0 says that all is well."""

FINDINGS = 1
"""Something was found, or a run failed."""
USAGE = 2
"""The command was called wrongly."""
INTERNAL_ERROR = 3
"""pipelang itself is broken."""
INTERRUPTED = 130
"""Ctrl-C, or SIGTERM."""
NO_READER = 141
"""The reader of the output went away."""
