"""What a program will do, worked out before it runs. Knows nothing of the interpreter."""
