"""Reachability of declarations: effects, people, other pipelines; cycles; unused ones."""
