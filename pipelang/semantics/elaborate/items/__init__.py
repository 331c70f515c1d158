"""Items of a pipeline: steps, gates, branches, and the blocks that they make."""
