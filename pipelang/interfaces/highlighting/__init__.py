"""Colours of `.pipe` text by regular expressions alone: one table of rules, made from the parser's
tables, and what editors and Pygments make of it.
"""
