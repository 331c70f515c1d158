"""The report of `check` as text, for readers who know nothing of the analysis.

Every section is a plain function from a `View` to lines, so that a report can be tested as a text.
"""
