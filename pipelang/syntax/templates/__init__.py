"""Templates of prompts: the part of Jinja2 that means something here, read as Jinja2 reads it."""
