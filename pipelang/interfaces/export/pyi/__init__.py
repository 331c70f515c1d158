"""A stub for hosts: what goes into pipelines and what comes out, for type checkers.

Inputs are written as dicts, so their records are TypedDicts. What comes out are objects with
attributes, so theirs are classes. A record that does both is two: its TypedDict is `NAMEInput`.
A host imports the stub under TYPE_CHECKING (docs/export.md shows how): nothing of it is there at
run time, and nothing of it has to be.
"""

from pipelang.interfaces.export.pyi.stub import pyi

__all__ = ["pyi"]
