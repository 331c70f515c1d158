"""Benchmarks: pipelang, the floor under it and its peers, measured in one run and told as ratios.

`make bench`, or `python -m benchmarks [NAME]... [--quick]`. Absolute times say more about the
machine than about the code, and drift by half while one looks; so the contenders of a row are
sampled in turn, and what counts is the median of the ratios within a round, with their spread.
"""
