"""Information flow: where untrusted and private data may go, into effects, prompts and stores."""
