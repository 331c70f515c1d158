"""A program in other formats: IR, JSON Schema, a stub for hosts, a graph, pictures, PRISM."""
