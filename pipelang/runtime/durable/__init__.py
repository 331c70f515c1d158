"""Runs that survive their process: a journal in SQLite or PostgreSQL, workers, people in a store.

To read in this order: `address` (where a store is, and what is wrong with it), `engine` (queues and
ownership, the only module that knows DBOS), `schema` (tables and their version), `store` (a store
that is open), `programs` (those that runs began with), `submitting`, `legs` (the part of a run that
one worker does: begun, written, ended), `journal` (the record of a leg), `world` (when a leg may
end because all of it waits), `doing` (how a leg goes), `leases`, `worker`, `cases`, `switches`,
`memories` and `quotas` (in the store; so are those of the room `shared`), `listing` and `upkeep`
(for people). `history` is about rows that are there already.
"""
