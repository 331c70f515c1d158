"""Text and tree: tokens, the LALR parser over lark's tables, recovery after errors, formatter."""
