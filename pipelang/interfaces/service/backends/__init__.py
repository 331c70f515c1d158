"""Backends of the service: runs in memory, and runs in a store."""
