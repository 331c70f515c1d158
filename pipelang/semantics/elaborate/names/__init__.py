"""Declared names: what a pipeline is made of by name, how deep and how large a declaration may be."""
