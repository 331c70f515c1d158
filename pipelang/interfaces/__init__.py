"""What people and hosts touch: the command line, and (later) editor and service."""
