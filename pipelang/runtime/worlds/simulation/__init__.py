"""The simulated world: the real interpreter over declared numbers, in virtual time.

It shares nothing with the analysis but the program's meaning: draws are made one by one, as a run
comes to them, and confidences are taken from rows of the evidence. That the two agree is a test.
"""
