"""The arithmetic of a sweep as one formula: written down once, worked out over any numbers,
differentiated backwards.
"""
