"""Tools: their registry, threads, results, idempotency keys and rate limits."""
