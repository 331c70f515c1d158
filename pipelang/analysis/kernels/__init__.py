"""The probability of everything that one action can come to: chains, calls, votes, lists, sub-
pipelines, tests, costs and durations.
"""
