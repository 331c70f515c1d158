"""Releases of a program: what guards they may have, what they need, and what speaks for them."""
