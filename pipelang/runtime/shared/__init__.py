"""State that outlives one run: breakers, kill switches, single flight, caches, memories, batches."""
