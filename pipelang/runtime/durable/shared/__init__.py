"""Quotas, rates, breakers, caches, memories, places of tenants: shared by the workers of a store."""
