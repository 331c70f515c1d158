"""The command `pipelang run`: one input or many, live display, people and plug-ins."""
