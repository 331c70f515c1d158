"""`pipelang evidence`: show a file, fit hard cases to some, stamp one with its origin."""
