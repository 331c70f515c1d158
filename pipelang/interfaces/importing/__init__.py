"""Declarations out of what others publish: the tools of MCP servers, to be reviewed by people."""
