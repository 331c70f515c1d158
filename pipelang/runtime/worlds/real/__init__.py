"""The real world: models, tools, memories, caches and people, with timeouts and cancellation."""
