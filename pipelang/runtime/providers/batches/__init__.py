"""Batches at the makers that take them: made, looked at until they have ended, read, given up."""
