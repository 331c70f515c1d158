"""What the bounded constructs mean: written once, read by the analysis and by the interpreter.

A kernel is a pure transition: it says what comes next, never how likely that is and never how it is
carried out. The analysis walks it with probabilities, the interpreter with what really happened.
"""
