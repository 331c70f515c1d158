"""What the analysis of one pipeline knows before it starts: parameters, evidence, posteriors and
bounds over unknowns.
"""
