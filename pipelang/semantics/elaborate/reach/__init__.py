"""What declarations reach: effects, people, other pipelines; cycles; what nobody uses."""
