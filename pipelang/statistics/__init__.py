"""Statistics of what was counted: exact intervals, tests that may be looked at any time, weights.

Small, in plain Python, and each with its source; `tests/unit/statistics` holds them against scipy
and simulation. The room stands on nothing, so that the analysis, the runtime (guards of releases)
and the commands can all use it.
"""
