"""Where data may go: from people outside and about people, into effects, prompts and stores."""
