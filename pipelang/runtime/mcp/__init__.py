"""Tools behind MCP servers: where servers are, how they are reached, what their tools take."""
