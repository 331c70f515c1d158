"""Tuning: the cheapest settings, thresholds, tiers and retries that keep every promise."""
