"""A run for people: its live display, outcome, trace and open cases."""
