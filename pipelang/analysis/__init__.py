"""Exact analysis of a program: how often each outcome happens, what it costs and takes, and what
can never happen.
"""
