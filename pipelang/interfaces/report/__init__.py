"""What `check` found, as text that somebody can read who has never heard of any of it.

Every section is a plain function from a `View` to lines, so that a report can be tested as a text.
"""
