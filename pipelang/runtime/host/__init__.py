"""What a host embeds: handles, what it plugs in, test blocks and simulated runs."""
