"""The commands of `pipelang`: names, lines of `--help`, and the module that holds each."""

COMMANDS = {
    "new": "Write a starter: a pipeline to change.",
    "check": "Say how pipelines will behave, before anything runs.",
    "test": "Run the `test` blocks, without any model.",
    "run": "Run a pipeline, with live progress.",
    "submit": "Put runs into a store, for workers.",
    "worker": "Do the runs that are in a store.",
    "runs": "List, show, wait for, cancel or resume durable runs.",
    "release": "Put a version of a pipeline out, for all runs or for some.",
    "releases": "List, promote and roll back versions.",
    "pause": "Have no durable run of a pipeline begin.",
    "unpause": "Have durable runs of a pipeline begin again.",
    "store": "Make, check or copy a store of durable runs.",
    "observe": "Put what runs did beside what was predicted.",
    "watch": "Say what production no longer keeps, and alert.",
    "serve": "Serve pipelines: an API and a page for people.",
    "token": "Make, list and revoke the tokens of a server.",
    "mcp": "Offer pipelines as tools of MCP, over standard input and output.",
    "trace": "Show a run as a tree, or follow one.",
    "inbox": "List what waits for people, or show one case.",
    "approve": "Answer what waits: yes, no, or an answer.",
    "kill": "Switch off a tool, a pipeline or everything.",
    "audit": "Verify or show the audit log.",
    "graph": "Draw pipelines as text, mermaid, dot or SVG, or give the graph.",
    "compile": "Write a program as JSON, JSON Schema, stubs or a model.",
    "import": "Write declarations of the tools of an MCP server.",
    "tune": "Find the cheapest settings, tiers and retries that keep every promise.",
    "sketch": "Say what steps of some reliability come to; needs no file.",
    "simulate": "Run many simulated runs against the prediction.",
    "golden": "Run a set of cases with what is expected, or compare two versions on it.",
    "evidence": "Look into a file of labelled answers, or stamp it.",
    "prices": "Compare prices with the snapshot, or renew it.",
    "lsp": "Serve an editor: findings, numbers, completion, renaming.",
    "fmt": "Bring files into the one layout.",
    "explain": "Say what a code such as P201 means.",
}
"""Every command with its line in `--help`, in the order in which it lists them."""

_DURABLE = ("submit", "worker", "runs", "pause", "unpause", "store", "release", "releases")
_OPERATE = ("observe", "watch")
_SERVICE = ("serve", "token", "mcp")
_HOMES = {
    "check": "check.command",
    "evidence": "evidence.command",
    "import": "importing",
    "run": "run.command",
    **{name: f"durable.{name}" for name in _DURABLE},
    **{name: f"operate.{name}" for name in _OPERATE},
    **{name: f"service.{name}" for name in _SERVICE},
}


def module_of(name: str) -> str:
    """The full name of the module that holds a command, as `command`."""
    return f"pipelang.interfaces.cli.{_HOMES.get(name, name)}"
