"""Embedding in a host: handles, the services of a host, test blocks and simulated runs."""
