"""The rules of the profile `production`: its demands on a pipeline besides correctness.

A demand is a rule of its own: one function, one row of the table of codes, one page, one case of
the suite. `demands.py` is the list of them.
"""
