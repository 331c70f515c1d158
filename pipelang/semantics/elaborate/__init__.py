"""From syntax tree to program: names, types, units and options, one construct a function."""
