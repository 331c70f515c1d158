"""The worlds behind the seam: the real one, the one of test blocks, and the simulated one."""
