"""Recovery after a syntax error: where to resume, what was expected, and how to fix it."""
