"""What the workers of a store share while they run: quotas, rates, breakers, caches, memories, and
the places of tenants.
"""
