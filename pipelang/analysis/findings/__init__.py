"""Diagnostics that the analysis makes: missed promises, weak evidence, refuted claims."""
