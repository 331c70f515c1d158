"""Running programs: values, interpreter, budgets, tools, people, providers. Estimates nothing."""
