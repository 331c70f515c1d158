"""Durable runs, one part after the other, without workers: legs are handed out by hand."""
