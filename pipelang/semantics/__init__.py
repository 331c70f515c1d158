"""Meaning: imports, types, units and names, from a syntax tree to a typed program that upper layers
accept, and the kernels that say what each construct does.
"""
