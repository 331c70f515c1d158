"""The inbox: what waits for people, and what they said.

`cases` says what may become of a case and `shapes` what an answer must look like; `memory` and
`folder` keep them; `inbox` opens, waits and answers; `webhook` tells others; `reaching` is how a
run gets there.
"""
