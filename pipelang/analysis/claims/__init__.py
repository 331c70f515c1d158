"""What may never happen, decided over all paths before anything runs."""
