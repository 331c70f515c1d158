"""Whole programs that are right, and the same programs with one mistake each.

`generate.program(seed)` writes a file that uses the language as a careful author would: everything
has its type, every outcome is there. Beside every line stands how it can be got wrong and where
that must be told, so `check` is tried both ways: it accepts the file, and refuses each mistake on
its line. `python -m tests.property.programs` runs as many as one likes.
"""
