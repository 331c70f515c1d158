"""Declarations at the top of a file: pipelines, tools, tests, providers, tiers, roles."""
