"""The program as documented, versioned JSON (docs/ir.md, docs/schemas/ir.schema.json).

One module for each of `pipelang.semantics.program`'s, written out by hand and not by reflection:
the format is a promise to readers outside, and what it is made from may change.
"""

from pipelang.interfaces.export.ir.program import VERSION, program_json

__all__ = ["VERSION", "program_json"]
