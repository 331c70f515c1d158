"""Makers without a kind of their own, by the model layer of pydantic-ai."""
