"""The inbox: questions and escalations that wait for people as cases, and their answers.

`cases` defines a case and its transitions, `answer_schema` checks answers to an ask; `memory` and
`folder` store cases; `inbox` opens them, waits and takes answers; `webhook` posts them to others;
`routing` and `people` connect a run to the inbox or to a host's own object.
"""
