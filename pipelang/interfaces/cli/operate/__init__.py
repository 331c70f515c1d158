"""Commands that look at what ran in production, and tell people."""
