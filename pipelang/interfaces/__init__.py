"""Everything that people and hosts call: the command line, reports, exports, `pipelang.load`."""
