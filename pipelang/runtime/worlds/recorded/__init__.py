"""A real world whose runs are recorded, so that another process can go on with them after a crash.

To read in this order: `record` (rows, and where they are kept), `strands` (who writes them, when
many things go on side by side), `encoding` (values, failures and endings as JSON), `ledger` (rows
that are written and read), `recorder` (doing something once), `world` (what is done once),
`refusals` (what is not recorded).
"""
