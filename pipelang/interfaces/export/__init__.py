"""What a program becomes for others: JSON, JSON Schema, a stub for hosts, pictures."""
