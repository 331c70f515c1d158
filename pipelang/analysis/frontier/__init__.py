"""The table of live states that the sweep carries, its tape for derivatives, and the totals it
adds up.
"""
