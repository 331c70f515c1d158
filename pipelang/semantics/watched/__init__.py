"""Watched production: which steps people judge, and what measures a line of `watch`."""
