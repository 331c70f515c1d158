"""Advice: the exact effect of each possible change, computed on the changed program."""
