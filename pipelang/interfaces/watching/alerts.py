"""Alerts: told to roles by webhook or into a file, once for each cause."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

from pipelang.interfaces.observation.observation import moment
from pipelang.interfaces.text.number_format import of_metric, percent, plural
from pipelang.interfaces.watching.evaluation import LineState, LineStatus
from pipelang.records import dataclass
from pipelang.semantics.watched.line_measures import LineMeasure

TIMEOUT = 10.0
ATTEMPTS = 3


class NotTold(Exception):
    """An alert that did not get where it should. The message says why."""


@dataclass(frozen=True, slots=True)
class AlertTarget:
    """A place that alerts go to: a web address, or a file that gets a line for each. `role` None
    takes the alerts of all roles; `secret` (`env:NAME`) signs what is posted.
    """

    role: str | None
    where: str
    secret: str | None = None

    @property
    def is_web(self) -> bool:
        return self.where[:8].lower().startswith(("https://", "http://"))

    def takes(self, role: str | None) -> bool:
        return self.role is None or role is None or self.role == role


class NoTarget(ValueError):
    """A place that alerts cannot go to. The arguments are the reason and the fix."""


def targets_from(
    texts: Sequence[str], secret: str | None, roles: Collection[str]
) -> list[AlertTarget]:
    """The targets of a command line, of which every role is one of the program's. Raises
    `NoTarget`, so that a mistake is told when a watch begins and not with its first alert.
    """
    targets = [target_from(one, secret) for one in texts]
    for target in targets:
        if target.role is not None and target.role not in roles:
            there = ", ".join(sorted(roles)) or "none"
            raise NoTarget(f"no role is called `{target.role}`", f"there are: {there}")
    if secret is None:
        return targets
    if not any(target.is_web for target in targets):
        raise NoTarget(
            "a secret signs what is posted, and no alert goes to a web address",
            "`--alert https://...` names one",
        )
    from pipelang.runtime.engine.secrets import SecretMissing, resolve_secret

    try:
        resolve_secret(secret)
    except SecretMissing as missing:
        raise NoTarget(str(missing), None) from missing
    except (OSError, UnicodeDecodeError) as unread:
        raise NoTarget(f"`{secret}` cannot be read: {unread}", None) from unread
    return targets


def target_from(text: str, secret: str | None = None) -> AlertTarget:
    """A target as a command line writes it: a web address or a file, perhaps after `ROLE=`. Raises
    `NoTarget` for what is neither.
    """
    head, equals, rest = text.partition("=")
    target = AlertTarget(None, text, secret)
    if equals and head.strip().isidentifier():
        target = AlertTarget(head.strip(), rest, secret)
    where = target.where
    if not where.strip():
        raise NoTarget(f"`{text}` names no place for alerts", "write an https address or a file")
    if target.is_web:
        from pipelang.runtime.inbox.webhook import is_web_address

        if is_web_address(where):
            return target
        raise NoTarget(f"`{where}` is no web address", "it is like https://chat.example/hook")
    if "://" in where:
        scheme = where.partition("://")[0]
        raise NoTarget(
            f"alerts are not sent by `{scheme}`", "write an https address, or a file's name"
        )
    _must_take_lines(where)
    return target


def _must_take_lines(where: str) -> None:
    """Refuse the name of a file that no alert could be appended to. Raises `NoTarget`."""
    path = Path(where)
    folder = odd = there = False
    # A name that the system does not take is one of nothing.
    with contextlib.suppress(OSError, ValueError):
        with contextlib.suppress(FileNotFoundError):
            path.lstat()  # some Pythons tell of no other error where they look for a path
        folder, there = path.is_dir(), path.parent.is_dir()
        odd = path.is_symlink() or (path.exists() and not path.is_file())
    if folder:
        raise NoTarget(f"`{where}` is a folder", "name a file in it, which gets a line each")
    if odd:
        raise NoTarget(f"`{where}` is no plain file", "name one, which gets a line each")
    if not there:
        help = "name a file in a folder that is there"
        raise NoTarget(f"no alert can be written to `{where}`", help)


def alert_words(status: LineStatus) -> str:
    """An alert in a sentence: what is watched, what is seen, how sure, and what changed."""
    alert = status.alert or {}
    show = of_metric(status.watched.line.metric)
    if status.state is LineState.RECOVERED:
        seen = "" if status.value is None else f": {_seen(status)} now"
        return f"`{status.watched.line.text}` holds again{seen}"
    parts = [f"`{alert['line']}` does not hold"]
    if alert.get("observed") is not None:
        parts.append(show(alert["observed"]))
    if alert.get("share") is not None:
        parts[-1] += f" ({percent(alert['share'])} of the runs beyond the limit)"
    elif alert.get("low") is not None and alert.get("high") is not None:
        parts[-1] += f" ({show(alert['low'])} to {show(alert['high'])}"
        parts[-1] += f", over {alert['count']:,})"
    text = ": ".join(parts)
    if alert.get("text"):
        text += f". {alert['text']}"
    return text


def _seen(status: LineStatus) -> str:
    if status.watched.measure in (LineMeasure.QUANTILE, LineMeasure.WORST):
        return f"{percent(status.value or 0.0)} of the runs beyond it"
    return of_metric(status.watched.line.metric)(status.value or 0.0)


def alert_json(status: LineStatus, program: str, source: str) -> dict[str, Any]:
    """An alert as it is posted and written."""
    alert = dict(status.alert or {})
    alert.pop("told", None)
    since = alert.pop("since", None)
    return {
        "kind": "recovered" if status.state is LineState.RECOVERED else "alert",
        "program": program[:12],
        "source": source,
        "since": None if since is None else moment(since),
        "says": alert_words(status),
        **alert,
    }


def tell(status: LineStatus, targets: Sequence[AlertTarget], body: dict[str, Any]) -> list[str]:
    """Tell an alert to every target that takes it and has not had it; what did not work, in words.
    Who has had it is noted in the alert.
    """
    alert = status.alert or {}
    told: list[str] = alert.setdefault("told", [])
    if status.state is LineState.RECOVERED:
        told = []
    problems = []
    for target in targets:
        if not target.takes(body.get("role")) or target.where in told:
            continue
        try:
            _deliver(target, body)
        except NotTold as problem:
            problems.append(str(problem))
        else:
            told.append(target.where)
    return problems


def tell_all(
    statuses: Sequence[LineStatus], targets: Sequence[AlertTarget], program: str, shown: str
) -> list[str]:
    """Tell the alerts among some lines, and those that are over; what did not work, in words."""
    problems: list[str] = []
    for status in statuses:
        if status.state in (LineState.ALERT, LineState.RECOVERED):
            problems += tell(status, targets, alert_json(status, program, shown))
    return problems


def _deliver(target: AlertTarget, body: dict[str, Any]) -> None:
    text = json.dumps(body, ensure_ascii=False)
    if target.is_web:
        _post(target, text.encode())
        return
    from pipelang.runtime.files.private_files import append_line

    try:
        append_line(Path(target.where), f"{text}\n".encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotTold(f"the alert cannot be written to `{target.where}`: {reason}") from error


def _post(target: AlertTarget, data: bytes) -> None:
    from pipelang.runtime.engine.secrets import resolve_secret
    from pipelang.runtime.inbox.webhook import SIGNATURE, signature_of
    from pipelang.runtime.media.redirects import NoRedirects

    headers = {"Content-Type": "application/json; charset=utf-8"}
    if target.secret is not None:
        headers[SIGNATURE] = signature_of(data, resolve_secret(target.secret))
    opener = urllib.request.build_opener(NoRedirects())
    last = ""
    for _ in range(ATTEMPTS):
        request = urllib.request.Request(target.where, data, headers, method="POST")
        try:
            with opener.open(request, timeout=TIMEOUT) as response:
                response.read(0)
                return
        except urllib.error.HTTPError as error:
            error.close()
            last = f"it answered {error.code}"
            if error.code < 500 and error.code not in (408, 425, 429):
                break
        except (OSError, HTTPException) as error:  # the second: an answer that is no HTTP
            last = type(error).__name__
    raise NotTold(f"the alert was not taken by `{_host(target.where)}`: {last}")


def _host(url: str) -> str:
    """The address without what may be a key in its path."""
    from urllib.parse import urlsplit

    return urlsplit(url).netloc or url


def needs_words(days: float | None, value: float | None, quantile: bool) -> str:
    """The days in which a change is found, in words."""
    if value is None:
        return ""
    what = f"{percent(value)} beyond the limit" if quantile else percent(value)
    if days is None:
        return f"{what} is too near to the limit to be found"
    if days > 3650:
        return f"{what} would take years to be found"
    whole = max(1, round(days + 0.499))
    return f"{what} is found within {plural(whole, 'day')}"
