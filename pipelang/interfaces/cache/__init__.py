"""Keeps in the user's cache folder what commands worked out: entries, and programs in them.

An entry is believed only while nothing that it was worked out from has changed. The cache costs
time at worst, and never an answer.
"""
