"""Expressions, types and constants: bidirectional typing with units and optionals."""
