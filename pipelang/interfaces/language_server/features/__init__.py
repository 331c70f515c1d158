"""Answers to requests of editors, each a function of a file's survey and of a place in its text."""
