"""Decisions that arrive as signed requests at the web server of a host.

A body is signed as those of `webhook` are: HMAC-SHA256 of the shared secret, in hex after
`sha256=`. A body that arrives twice is refused as any second answer is: a case is decided once.
"""

from __future__ import annotations

import hmac
import json
from typing import Any

from pipelang.runtime.engine.secrets import SecretMissing, resolve_secret
from pipelang.runtime.files import strict_json
from pipelang.runtime.inbox.cases import Case, Refused
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.inbox.webhook import signature_of


async def receive(inbox: Inbox, body: bytes, signature: str | bytes | None) -> Case:
    """A decision that a web server was sent: `{"case": ID, "by": NAME}` with `yes` or `answer`, and
    perhaps `reason`. The signature must be the body's, by the secret of the inbox's webhook; a
    header may be text or bytes, as servers give it. The case, decided. Raises `Refused`.
    """
    secret = None if inbox.webhook is None else inbox.webhook.secret
    if secret is None:
        raise Refused("this inbox has no secret, so nothing that comes in can be believed")
    try:
        expected = signature_of(body, resolve_secret(secret))
    except SecretMissing as missing:
        raise Refused(str(missing)) from None
    if isinstance(signature, str):  # which may hold halves of characters
        signature = signature.encode(errors="replace")
    given = bytes(signature).strip() if isinstance(signature, bytes | bytearray) else b""
    if not hmac.compare_digest(expected.encode(), given):
        raise Refused("the signature is not that of the body")
    decision = _read(body)
    case_id, by, reason = decision["case"], decision["by"], decision.get("reason", "")
    if inbox.case(case_id).id != case_id:
        raise Refused(f"there is no case `{case_id}`")
    if "answer" in decision:
        return await inbox.answer(case_id, decision["answer"], by=by, reason=reason)
    return await inbox.decide(case_id, yes=decision["yes"], by=by, reason=reason)


def _read(body: bytes) -> dict[str, Any]:
    try:
        decision = strict_json.loads(body)
        json.dumps(decision, ensure_ascii=False).encode()  # half a character is none
    except strict_json.DuplicateKey as error:
        raise Refused(str(error)) from None
    except (ValueError, RecursionError):
        raise Refused("the body is no JSON") from None
    if not isinstance(decision, dict):
        raise Refused("the body must be an object")
    for name in ("case", "by", "reason"):
        if not isinstance(decision.get(name, ""), str) or (
            name != "reason" and not decision.get(name)
        ):
            raise Refused(f"`{name}` must be a text")
    if ("answer" in decision) == ("yes" in decision):
        raise Refused("the body must hold either `yes` or `answer`")
    if "yes" in decision and not isinstance(decision["yes"], bool):
        raise Refused("`yes` must be true or false")
    return decision
