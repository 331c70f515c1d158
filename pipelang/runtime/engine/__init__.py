"""The interpreter: it decides what runs next, keeps values and budgets, and asks a `World` for
everything outside.

To read in this order: `world` (the seam) with its `messages`, `run` (the state of a run),
`outcomes` and `endings` (how it ends), `interpreter` (pipelines, blocks, gates, branches) with
`barriers` (people, memories), `regions` over `region_plan` (steps side by side), `chains` (one
step), and what a link may do: `votes`, `agents`, `each`, `subpipelines`. A sub-pipeline is played
by the interpreter again, which a run carries as its function `play`. Beside these: values and their
types, expressions, budgets, events, redaction.
"""
