"""Profiles, selection of codes, and comments that ignore findings: which findings are shown."""
