"""State that outlives one run: breakers, kill switches, flights, caches, memories, batches."""
