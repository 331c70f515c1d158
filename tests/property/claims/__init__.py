"""Random pipelines with claims: what is proved is never seen broken, what is refuted is."""
