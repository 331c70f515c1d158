"""Broken files by the hundred thousand: nothing raises, nothing hangs. `python -m tests.fuzz`."""
