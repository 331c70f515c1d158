"""Running programs: values, the interpreter, budgets, tools, people, providers. Estimates nothing."""
