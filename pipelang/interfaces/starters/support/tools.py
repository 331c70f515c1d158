"""The tools that the pipeline calls: replace them by yours. The .pipe file has their types.

What they return is checked against its type. What they raise counts as a failed attempt.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent

HELP = [
    "Export: Settings, Export, choose CSV or PDF. Only administrators see this page. Exports are "
    "ready within ten minutes, and a link comes by mail.",
    "Password: on the sign-in page press Forgot password. The link is valid for one hour. If no "
    "mail comes, look into the spam folder, or sign in with Google if you did so before.",
    "Team: Settings, Members, Invite. An invitation is valid for seven days. The free plan has "
    "room for three members.",
    "Notifications: your picture, Notifications. Mails can be switched off one by one, or bundled "
    "into one a day.",
]


def words(text: str) -> set[str]:
    """The words of a text that say something."""
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


def search_help(query: str) -> list[str]:
    """The help pages that share most words with the query, the best first."""
    wanted = words(query)
    ranked = sorted(HELP, key=lambda page: -len(wanted & words(page)))
    return [page for page in ranked if wanted & words(page)][:3]


def send_reply(ticket: str, body: str) -> str:
    """Send a reply: here into `outbox.jsonl` beside this file. Its message id."""
    outbox = HERE / "outbox.jsonl"
    with outbox.open("a+", encoding="utf-8") as file:
        file.seek(0)
        number = sum(1 for _ in file) + 1
        file.write(json.dumps({"ticket": ticket, "body": body}, ensure_ascii=False) + "\n")
    return f"m-{number}"
