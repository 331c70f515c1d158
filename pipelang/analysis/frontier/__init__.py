"""The table of live states that the sweep carries, what a recorder is told of it, and the totals it
adds up.
"""
