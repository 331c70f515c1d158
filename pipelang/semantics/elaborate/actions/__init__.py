"""Actions and the chains of links that govern them: asks, calls, sub-pipelines, outcomes."""
