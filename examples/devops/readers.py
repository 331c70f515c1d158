"""The programs that only look, and by which of their words they do more."""

from __future__ import annotations

import re
from collections.abc import Sequence

SAFE, UNKNOWN, DANGEROUS = "safe", "unknown", "dangerous"

READERS = frozenset(
    """
ls cat head tail grep egrep fgrep zgrep zcat less more wc sort uniq cut tr df du free uptime top
ps pstree who w id whoami hostname date uname lsof ss netstat vmstat iostat mpstat sar dmesg ping
dig nslookup host traceroute stat file readlink realpath basename dirname echo printf true false
test [ sleep jq yq awk gawk sed column diff cmp md5sum sha256sum sha1sum nproc lscpu lsblk findmnt
printenv pgrep pidof getent sync seq logger tac nl comm paste fold rev strings xxd od hexdump base64
ip ifconfig arp journalctl last lastlog cd pwd wait exit : which type command-v lsmod blkid
timedatectl hostnamectl ethtool tcpdump mtr env-list zless nl expr let export unset read break
continue declare typeset local readonly fuser openssl iotop htop pidstat numastat ulimit
""".split()
)

STARTS = (
    r"\w*PATH|IFS|ENV|BASH_ENV|PROMPT_COMMAND|SHELLOPTS|BASHOPTS|PS[0-4]|\w*PAGER|\w*EDITOR|VISUAL"
    r"|BROWSER|LESS\w*|LD_\w+|GIT_\w+|PYTHON\w*|PERL\w*|RUBY\w*|NODE_\w+|JAVA\w*|\w+_OPTIONS"
    r"|OPENSSL_\w+|KUBECONFIG|DOCKER_\w+|SYSTEMD_\w+|HOME|\w+RC"
)
"""Variables by which a program that only looks is told to start another, or where to look."""

WRITES_BY = {
    "sort": r"-[a-zA-Z]*o|--o|--comp",
    "less": r"-[a-zA-Z]*[oOk]|--log|--lesskey|\+",
    "more": r"\+",
    "zless": r"-[a-zA-Z]*[oOk]|--log|--lesskey|\+",
    "tcpdump": r"-[a-zA-Z]*[wzC]|--w",
    "yq": r"-[a-zA-Z]*[iosx]|--in|--split|--out",
    "uniq": r"(?!)",
    "xxd": r"-[a-z]*r|--?rev",
}
"""By which option, alone or among other letters, one that reads writes after all."""

_NAMES = r"[\w.:@/-]+"
LOOKS_ONLY = {
    "hostname": r"(-[sfidIAy]|--\w+)?",
    "hostnamectl": r"(status|--static|--pretty)?",
    "timedatectl": r"(status|show|timesync-status|list-timezones|show-timesync)?( --\w[\w-]*)*",
    "date": r"(?!.*(^|\s)(-\w*s|--s))"
    r"(-u|-R|-I\w*|--utc|--iso-8601(=\w+)?|-u?d .*|--date=.*|-r /[\w./-]+)?( ?-u)?( ?\+.*)?",
    "ip": rf"(-(?!b(a|\b))\w+ )*(a|addr|address|l|link|r|route|n|neigh|rule|maddr)"
    rf"( (show|list|ls|get)( {_NAMES})*)?",
    "ifconfig": r"(-a|-s|[a-z]+[0-9.]*)?",
    "arp": r"(-[anve]+ ?)*(-i [a-z]+\d*)?",
    "ethtool": r"(-[aciklmgSn] )?[a-z]+[0-9.]*",
}
"""Programs that look or change by their words: the words with which they look."""


_ADDRESS = r"(\d+(~\d+)?|\$|/(\\.|[^/\\\n])*/I?)"
_STEP = "|".join(
    [r"[pdqnNDPgGhHxl=]", r"y/(\\.|[^/\\])*/(\\.|[^/\\])*/"]
    + [rf"s[{d}](\\.|[^{d}\\\n])*[{d}](\\.|[^{d}\\\n])*[{d}][gpiI\d]*" for d in "/|#,:@"]
)
_ONE = rf"\s*({_ADDRESS}(\s*,\s*[+~]?{_ADDRESS})?\s*!?\s*)?\{{?\s*({_STEP})\s*\}}?\s*"
_SED = re.compile(rf"{_ONE}([;\n]{_ONE})*;?")
"""A script of sed that prints and replaces; `e`, `w`, `r` and what else there is are not in it."""


def _sed(args: Sequence[str]) -> str:
    """Only the scripts can write or run something, and `-i` in any bundle of letters."""
    scripts, files = [], []
    ready = iter(args)
    for arg in ready:
        if arg.startswith("--"):
            name, _, value = arg.partition("=")
            if name == "--expression":
                scripts.append(value or next(ready, ""))
            elif name not in ("--quiet", "--silent", "--regexp-extended", "--unbuffered"):
                return DANGEROUS
        elif arg.startswith("-") and len(arg) > 1:
            letters, expression, value = arg[1:].partition("e")
            if not set(letters) <= set("nErsuz"):
                return DANGEROUS
            if expression:
                scripts.append(value or next(ready, ""))
        else:
            files.append(arg)
    scripts = scripts or files[:1]
    return SAFE if all(_SED.fullmatch(script) for script in scripts) else DANGEROUS


def reader(name: str, args: Sequence[str]) -> str:
    """A program that only reads, but for some options."""
    text = " ".join(args)
    if name in ("awk", "gawk"):
        text = re.sub(r"\$\w+ ?>=? ?[\d.]+|\|\|", "", text)  # comparing is no writing
        bad = re.search(r"system|getline|[|>@]|-f|-i|--\w*file|\\x|\\[0-7]", text)
        return DANGEROUS if bad else SAFE
    if name == "sed":
        return _sed(args)
    if name == "openssl":
        looks = args[:1] in (["s_client"], ["x509"], ["version"])
        writes = re.search(r"(^| )--?(out|writerand|signkey|CA|key|req|sess_out|keylog)", text)
        return SAFE if looks and not writes else UNKNOWN
    if name in WRITES_BY:
        files = [a for a in args if not a.startswith(("-", "+"))]
        acts = any(re.match(WRITES_BY[name], a) for a in args)
        return DANGEROUS if acts or (name == "uniq" and len(files) > 1) else SAFE
    if name in LOOKS_ONLY:
        return SAFE if re.fullmatch(LOOKS_ONLY[name], text) else DANGEROUS
    if name == "fuser":
        return DANGEROUS if re.search(r"(^| )(-[a-zA-Z]*[kK]|--kill)", text) else SAFE
    if name == "journalctl":
        tidy = any(a.startswith("--vacuum") for a in args)
        bad = re.search(
            r"--vacuum-(size=\d+[BK]?( |$)|time=[01]s|files=0)|--setup-keys|--relinquish", text
        )
        return DANGEROUS if bad else SAFE if tidy or not bad else UNKNOWN
    if name == "dmesg":
        return DANGEROUS if re.search(r"(^| )(-[a-zA-Z]*[cCDn]|--clear|--console)", text) else SAFE
    if name in ("export", "read", "let", "unset", "declare", "typeset", "local", "readonly"):
        loads = re.search(rf"\b({STARTS})\b", text)
        # Arithmetic and subscripts run what stands in them, quoted or not.
        return DANGEROUS if loads or re.search(r"\$\(|`|\[", text) else SAFE
    if name in ("printf", "test", "[", "wait") and args[:1] in (["-v"], ["-p"]):
        return DANGEROUS
    if name == "printenv":
        return UNKNOWN
    return SAFE
