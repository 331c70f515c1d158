"""Advice: what each change of a program buys, worked out on the program as it would then be."""
