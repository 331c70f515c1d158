"""Durable runs from outside: processes that are killed, stores that are away, effects that are counted.

`postgres` starts a server of its own; where there is none the tests on SQLite still run.
"""
