"""Kernels: the meaning of the bounded constructs, written once for analysis and interpreter.

A kernel is a pure transition: it says what comes next, never how likely that is and never how it is
carried out. The analysis walks it with probabilities, the interpreter with what really happened.
"""
