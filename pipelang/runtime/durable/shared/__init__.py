"""Rates, circuit breakers and caches in a store: what all its workers share while they run."""
