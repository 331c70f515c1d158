"""Kernels: the outcome distribution of one action, from chains, calls, votes, lists, sub-pipelines
and tests, with its cost and duration.
"""
