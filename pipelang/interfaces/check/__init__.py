"""Checking files for every front end: sources, analysis, profiles, comparison, fixes and advice in
one checked result.
"""
