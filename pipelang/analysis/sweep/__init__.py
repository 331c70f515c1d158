"""The one pass over a pipeline that carries the distribution of its live states from the first
item to the last.
"""
