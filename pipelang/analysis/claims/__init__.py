"""Symbolic execution over all paths of a pipeline: claims are proved or refuted before anything
runs.
"""
