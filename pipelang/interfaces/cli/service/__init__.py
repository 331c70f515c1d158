"""Commands of the service: `serve`, `token` and `mcp`."""
