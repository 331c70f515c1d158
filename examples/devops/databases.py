"""The clients of databases: which statements only look or tidy up."""

from __future__ import annotations

import re
from collections.abc import Sequence

SAFE, UNKNOWN, DANGEROUS = "safe", "unknown", "dangerous"

SQL = frozenset("psql mysql mariadb sqlite3 clickhouse-client".split())
_WHOLE = re.compile(
    r"\s*(select|show|explain|vacuum|analyze|reindex|checkpoint|kill)\b[^;]*;?\s*", re.I
)
_CALLS = frozenset(
    """
count sum avg min max now coalesce nullif round length lower upper substring date_trunc extract
age to_char greatest least array_agg string_agg row_number rank version current_database
pg_size_pretty pg_database_size pg_relation_size pg_total_relation_size pg_is_in_recovery
pg_stat_get_activity pg_blocking_pids pg_postmaster_start_time pg_last_xact_replay_timestamp
in values and or not as on over where from select exists interval cast any all filter using
""".split()
)
"""Functions, and words before a bracket, that only look. Whatever else is called is asked."""
_IDLE = re.compile(r"from pg_stat_activity where state = 'idle( in transaction)?'\W*$", re.I)
_ACTS = re.compile(
    r"\b(drop|truncate|delete|update|insert|alter|grant|revoke|create|copy|into|program|do|call"
    r"|pg_read_file|pg_ls_dir|lo_\w+|dblink\w*|load_file|outfile|dumpfile|exec\w*"
    r"|system|shutdown|pg_reload_conf|set_config|pragma|attach)\b",
    re.I,
)


def sql(args: Sequence[str], fed: str | None) -> str:
    """A call of a database's client: only statements that read, or tidy up."""
    texts = [] if fed is None else [fed]
    ready = iter(args)
    for arg in ready:
        if arg in ("-c", "-e", "--command", "--execute"):
            texts.append(next(ready, ""))
        elif (
            short := re.fullmatch(r"(?:-[ce]|--(?:command|execute)=)(.+)", arg, re.S)
        ) is not None:
            texts.append(short[1])
        elif arg in ("-f", "--file", "-o", "-L", "--init-command") or arg.startswith(("-f", "--f")):
            return DANGEROUS
        elif re.search(r"\s", arg):
            texts.append(arg)
    asked = SAFE
    if not texts:
        return SAFE if set(args) & {"-l", "--list", "--version"} else UNKNOWN
    for text in texts:
        plain = re.sub(r"/\*!?.*?\*/|--[^\n]*|#[^\n]*", "", text, flags=re.S)
        plain = re.sub(r"'(?:[^']|'')*'", "''", plain)
        if _ACTS.search(plain) or "\\" in text or "/*!" in text:
            return DANGEROUS
        if not all(_WHOLE.fullmatch(part) for part in plain.split(";") if part.strip()):
            return DANGEROUS
        calls = {name.lower() for name in re.findall(r"(\w+)\s*\(", plain)} - _CALLS
        if _IDLE.search(text):
            calls -= {"pg_terminate_backend", "pg_cancel_backend"}
        if calls:
            asked = UNKNOWN
    return asked
