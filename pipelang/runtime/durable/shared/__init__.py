"""State that the workers of a store share: quotas, rates, breakers, caches, memories, tenants."""
