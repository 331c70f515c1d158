"""Chat completions, as OpenAI defined them once and servers of all kinds speak them."""
