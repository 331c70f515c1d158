"""Programs as plain values: a table for this version of pipelang, a text that outlives it."""
