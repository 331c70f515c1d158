"""The difference between two checks, as text and as Markdown."""
