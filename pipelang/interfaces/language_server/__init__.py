"""The language server: what editors ask for while a file is being written.

`features` answer requests from texts and surveys, `analysis` works numbers out in a process of its
own; `server` speaks the protocol (pygls, the extra `lsp`) and is imported by the command alone.
"""
