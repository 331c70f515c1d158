"""Quotas, rates, breakers, caches, memories: shared by all workers of a store."""
