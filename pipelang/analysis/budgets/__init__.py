"""Budgets beside what runs need: which calls never fit, and whether a run may be cut short."""
