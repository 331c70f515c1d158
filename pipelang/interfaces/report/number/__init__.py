"""One number of the report taken apart, factor by factor."""
