"""The inbox: cases that wait for people, and their decisions.

`cases` has the states of a case, `answer_schema` the form of an answer; `memory` and `folder` store
cases; `inbox` opens, awaits and decides them; `wakeups` wakes the runs that wait; `webhook` posts
new cases, `signed_decisions` takes decisions in; `routing` is the way from a run to its people.
"""
