"""Everything around a run at the command line: inputs, batches, state folder, providers, traces,
comparison with simulation.
"""
