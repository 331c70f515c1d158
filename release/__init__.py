"""A release that could be made: `python -m release` builds it, compares it, lists it and tries it.

Nothing is uploaded. What is in `dist` afterwards is a wheel and an sdist that anybody gets bit by
bit from the same commit, a list of what they rest on (an SBOM), and the hashes of all three.
"""
