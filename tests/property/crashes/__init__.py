"""Runs that are cut off at every boundary, and gone on with from their record.

A pipeline is generated (`pipelines`), run once undisturbed, and once more for every place where a
process may die: before and after each row that is written, and at each await of foreign code. What
is outside (`outside`: tools, models, people, memories, a breaker, whoever listens) lives on, a new
process goes on from the record, and what it does is compared (`cutting`).
"""
