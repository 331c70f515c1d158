"""Properties that hold for every program, tried on programs derived from the grammar at random."""
