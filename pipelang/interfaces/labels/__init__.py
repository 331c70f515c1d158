"""Verdicts of people on sampled answers, and the rows of evidence that follow from them."""
