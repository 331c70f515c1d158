"""What is demanded of a file and what is told of it: profiles, selection, comments that ignore."""
