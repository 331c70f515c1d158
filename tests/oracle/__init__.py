"""An independent reading of the language: brute force against the analysis."""
