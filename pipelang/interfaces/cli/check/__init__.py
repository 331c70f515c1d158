"""The command `pipelang check`: its options, its cache, and one module for each kind of output."""
