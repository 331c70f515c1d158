"""The interpreter: it decides what runs next, keeps values and budgets, and asks a `World` for
everything outside.
"""
