"""Observation of runs: records out of a state folder or a store, beside what `check` predicts."""
