"""Options that several commands have: `--no-cache`, `--tier`."""
