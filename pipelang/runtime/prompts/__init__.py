"""Prompts: rendering of templates over JSON values, in a sandbox."""
