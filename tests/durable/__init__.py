"""Durable runs from outside: processes that are killed, and effects that are counted in files.

`postgres` starts a server of its own; where there is none the tests on SQLite still run.
"""
