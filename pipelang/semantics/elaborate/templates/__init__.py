"""Prompt templates: Jinja2's own parser reads them, their names and types are checked here."""
