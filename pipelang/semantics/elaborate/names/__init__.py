"""Declared names: what each pipeline has by name, how deep and how large declarations get."""
