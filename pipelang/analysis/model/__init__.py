"""Inputs of one pipeline's analysis: parameters, evidence, posteriors and bounds over unknowns."""
