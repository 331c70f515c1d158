"""Rows of runs after the fact: the chain that they are, its audit, and forks that begin there."""
