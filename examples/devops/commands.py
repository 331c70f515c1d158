"""Judges a command before it is run: `safe`, `unknown` (a person decides) or `dangerous`.

A list of what is forbidden is beaten by the next disguise, so nothing is looked for in the text.
The command is read as a shell reads it, and is safe only if every program in it is known to be
harmless as it is called here. What can't be read is dangerous: a program name, or a path to delete,
that only the running shell knows; code in another language; text piped into a shell.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from fnmatch import fnmatchcase as fnmatch

import databases
import programs
import readers
from shell import CannotBeRead, Command, Reader, Word

SAFE, UNKNOWN, DANGEROUS = "safe", "unknown", "dangerous"
RANK = {SAFE: 0, UNKNOWN: 1, DANGEROUS: 2}
DEEPEST = 6  # scripts within scripts

KEYWORDS = frozenset("then do else elif if while until ! { } time fi done".split())
BIN = frozenset({"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"})
SHELLS = frozenset("sh bash dash zsh ksh ash rbash fish csh tcsh".split())
ASSIGNS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=", re.ASCII)
LOADS = re.compile(rf"({readers.STARTS})\+?=", re.ASCII)
PLAIN = re.compile(r"(LC_\w+|LANG|LANGUAGE|TZ|TERM|COLUMNS|LINES|PG(HOST|PORT|USER|DATABASE)"
                   r"|DEBIAN_FRONTEND|NO_COLOR)\+?=", re.ASCII)  # fmt: skip
"""What may stand before a program without a question. Others are asked: programs read many."""
TIDY = ("/tmp", "/var/tmp", "/var/log", "/var/cache")
"""Below these, deleting and writing is housekeeping, but for who was here and what they did."""
TRACES = [f"/var/log/{name}" for name in ("wtmp", "btmp", "utmp", "lastlog", "faillog", "tallylog",
          "auth.log", "secure", "sudo.log", "audit", "audit/audit.log", "journal")]  # fmt: skip
HARMLESS_SINKS = frozenset("/dev/null /dev/stdout /dev/stderr /proc/sys/vm/drop_caches".split())
SECRETS = re.compile(r"(^|/)(g?shadow-?|id_(rsa|dsa|ecdsa|ed25519)|\.pgpass|\.netrc|credentials"
                     r"|environ|master\.key|\.aws|\.env(\.\w+)?|.*\.pem|.*\.key)$")  # fmt: skip


def judge(command: str) -> str:
    """How dangerous it is to run this text in a shell."""
    for char in command:
        kind = unicodedata.category(char)
        if kind in ("Cf", "Co", "Cn", "Cs", "Zl", "Zp") or (kind == "Cc" and char not in "\n\t"):
            return DANGEROUS  # what nobody sees has no business in a command
        if kind == "Zs" and char != " ":
            return DANGEROUS
    return _script(command, 0)


def _script(text: str, depth: int) -> str:
    if depth > DEEPEST:
        return DANGEROUS
    reader = Reader(text)
    try:
        commands = reader.commands()
    except CannotBeRead:
        return DANGEROUS
    found = [_command(one, depth) for one in commands]
    found += [_script(inner, depth + 1) for inner in reader.inner]
    return worst(found) if found else UNKNOWN


def worst(found: list[str]) -> str:
    """The most dangerous of some verdicts."""
    return max(found, key=RANK.__getitem__, default=SAFE)


def _command(one: Command, depth: int) -> str:
    found = [_written(word) for word in one.writes]
    found += [DANGEROUS for word in one.reads if word.open or _secret(word.text)]
    words = list(one.words)
    while words and not words[0].open and words[0].text in KEYWORDS and not words[0].quoted:
        words.pop(0)
    while words and ASSIGNS.match(words[0].text):
        # Code that is kept as a text is there to be run: `$((x))` and `${x@P}` do.
        if LOADS.match(words[0].text) or re.search(r"\$\(|`", words[0].text):
            return DANGEROUS
        told = words.pop(0)
        if words and not PLAIN.match(told.text):
            found.append(UNKNOWN)
    if words and words[0].text == "for" and len(words) > 2 and words[2].text == "in":
        words = []
    if words:
        found.append(_called(words, one, depth))
    return worst(found)


def _called(words: list[Word], one: Command, depth: int) -> str:
    if depth > DEEPEST:
        return DANGEROUS
    first, rest = words[0], words[1:]
    if first.open or first.glob:
        if first.text == "[":
            return SAFE
        return DANGEROUS
    folder, _, name = first.text.rpartition("/")
    if not first.text.isascii() or (folder and folder not in BIN):
        return DANGEROUS
    name = name.casefold()
    args = [word.text for word in rest]
    if name in programs.LOOKS and re.fullmatch(programs.LOOKS[name], " ".join(args)):
        return SAFE
    if name in programs.FORBIDDEN or name.startswith("mkfs"):
        return DANGEROUS
    if name in SHELLS:
        return _shell(rest, one, depth)
    if name == "eval":
        return DANGEROUS if any(w.open for w in rest) else _script(" ".join(args), depth + 1)
    if name == "find":
        return _find(rest, depth)
    if name in programs.WRAPPERS:
        return _wrapped(name, rest, one, depth)
    if name in ("rm", "rmdir", "unlink"):
        return _remove(rest, one.piped and not rest)
    if name in readers.READERS:
        if any(_secret(word.text) or (word.glob and _private(word.text)) for word in rest):
            return DANGEROUS
        return readers.reader(name, args)
    if not all(word.text.isascii() for word in rest):
        return DANGEROUS  # a letter that only looks like one
    if name in ("tee", "truncate", "touch", "mkdir", "gzip", "gunzip", "xz", "zstd"):
        size = re.compile(r"\d+[KMG]?" if name == "truncate" else r"(?!)")
        named = [w for w in rest if not w.text.startswith("-") and not size.fullmatch(w.text)]
        return worst([_written(word) for word in named])
    if name in databases.SQL:
        fed = None if one.fed_open else one.fed
        if one.piped or one.reads or one.fed_open or any(word.open for word in rest):
            return DANGEROUS
        return databases.sql(args, fed)
    if name == "redis-cli" and (one.piped or one.reads or one.fed is not None):
        return DANGEROUS
    rule = programs.RULES.get(name)
    if rule is not None:
        if any(word.open for word in rest):
            return worst([rule(args), UNKNOWN])
        return rule(args)
    if any(_secret(word.text) for word in rest):
        return DANGEROUS
    # Not known. It may start what it is given, as a whole or as a text, so that is judged as well.
    return worst([UNKNOWN, *_suffixes(rest, one, depth)])


def _suffixes(rest: list[Word], one: Command, depth: int) -> list[str]:
    found = []
    for number, word in enumerate(rest):
        if word.open or word.text.startswith("-"):
            continue
        name = word.text.rpartition("/")[2].casefold()
        known = name in programs.FORBIDDEN or name in programs.WRAPPERS or name in SHELLS
        if known or name in ("rm", "find", "eval"):
            found.append(_called(rest[number:], one, depth + 1))
        if word.quoted and re.search(r"\s", word.text):
            found.append(_script(word.text, depth + 1))
    return [verdict for verdict in found if verdict == DANGEROUS]


def _wrapped(name: str, rest: list[Word], one: Command, depth: int) -> str:
    """A program that starts another: `sudo`, `env`, `timeout`, `ssh`, `kubectl exec` ..."""
    number = 0
    takes = programs.WRAPPERS[name]
    asked = SAFE
    if name == "env" and any(w.text.startswith(("-S", "--split")) for w in rest):
        return DANGEROUS
    while number < len(rest):
        text = rest[number].text
        if ASSIGNS.match(text):
            if LOADS.match(text):
                return DANGEROUS
            if not PLAIN.match(text):
                asked = UNKNOWN
        elif name == "ssh" and re.match(r"-[46AaCfGgKkMNnqsTtVvXxYy]*[FEDLRWw]|-o", text):
            return DANGEROUS  # `-o ProxyCommand=`, another configuration, tunnels
        elif text == "--":
            number += 1
            break
        elif not text.startswith("-"):
            break
        elif text in takes:
            number += 1
        number += 1
    number += programs.OPERANDS.get(name, 0)
    inner = rest[number:]
    if not inner:
        # Bare: an interactive shell, or the list of variables.
        return DANGEROUS if name in ("sudo", "su", "doas", "chroot", "exec", "xargs") else UNKNOWN
    if name in ("ssh", "su", "watch", "script", "parallel") and len(inner) == 1:
        found = DANGEROUS if inner[0].open else _script(inner[0].text, depth + 1)
    else:
        found = _called(inner, one, depth + 1)
    if name in ("xargs", "parallel"):
        # The arguments come from elsewhere: only what reads may get them.
        reads = inner[0].text.rpartition("/")[2].casefold() in readers.READERS
        found = found if reads else DANGEROUS
    if name in ("ssh", "su", "chroot", "nsenter", "unshare", "systemd-run", "script", "parallel"):
        found = worst([found, UNKNOWN])
    return worst([found, asked, *_suffixes(rest, one, depth)])


def _shell(rest: list[Word], one: Command, depth: int) -> str:
    for number, word in enumerate(rest):
        if not word.text.startswith("-") or word.open:
            return DANGEROUS if word.open or not _plain_path(word.text) else UNKNOWN
        if "c" in word.text.lstrip("-") and not word.text.startswith("--"):
            code = next((w for w in rest[number + 1 :] if not w.text.startswith("-")), None)
            if code is None or code.open:
                return DANGEROUS
            return _script(code.text, depth + 1)
        if word.text in ("--version", "--help"):
            return SAFE
    if one.fed is not None and not one.fed_open:
        return _script(one.fed, depth + 1)
    return DANGEROUS  # reads what to do from a pipe, a file or a keyboard


def _find(rest: list[Word], depth: int) -> str:
    roots = []
    for word in rest:
        if word.text.startswith("-") or word.text in ("(", "!"):
            break
        roots.append(word)
    tests = rest[len(roots) :]
    acts = [n for n, w in enumerate(tests) if w.text in programs.FIND_ACTS]
    if any(word.open for word in roots) and acts:
        return DANGEROUS
    if not acts:
        return SAFE
    tidy = bool(roots) and all(_tidy(word) for word in roots)
    found = []
    for number in acts:
        act, inner = tests[number].text, tests[number + 1 :]
        if act == "-delete":
            found.append(SAFE if tidy else DANGEROUS)
            continue
        if act.startswith("-fprint") or act == "-fls":
            found.append(_written(inner[0]) if inner else DANGEROUS)
            continue
        ends = next((n for n, w in enumerate(inner) if w.text in (";", "+")), len(inner))
        called = [word for word in inner[:ends] if word.text != "{}"]
        name = called[0].text.rpartition("/")[2].casefold() if called else ""
        if name in ("rm", "gzip", "truncate") and tidy and len(called) <= 4:
            flags = all(w.text.startswith("-") or w.text.isdigit() for w in called[1:])
            found.append(SAFE if flags else DANGEROUS)
        elif name in readers.READERS:
            found.append(_called(called, Command(), depth + 1))
        else:
            found.append(DANGEROUS)
    return worst(found)


def _remove(rest: list[Word], piped: bool) -> str:
    targets = [word for word in rest if not word.text.startswith("-") or word.open]
    flags = "".join(word.text for word in rest if word.text.startswith("-"))
    if piped or "no-preserve-root" in flags or not targets:
        return DANGEROUS
    return SAFE if all(_tidy(word, below=True) for word in targets) else DANGEROUS


def _plain_path(text: str) -> bool:
    return text.startswith(("/opt/", "/usr/local/", "/srv/")) and ".." not in text


def _tidy(word: Word, below: bool = False) -> bool:
    """Whether a path lies where housekeeping is done, whatever its globs stand for."""
    text = word.text
    if word.open or not text.isascii() or not text.startswith("/") or ".." in text.split("/"):
        return False
    path = posixpath.normpath(re.sub("/+", "/", text))
    if any(fnmatch(trace, path) or path.startswith(trace + "/") for trace in TRACES):
        return False
    if not below:
        return any(path == root or path.startswith(root + "/") for root in TIDY)
    inside = next((path[len(root) + 1 :] for root in TIDY if path.startswith(root + "/")), "")
    # `/var/log/*` is everything that was logged; `/tmp/*` is what tidying means.
    return bool(inside) and (bool(inside.strip("*?./")) or path.startswith("/tmp/*"))


def _written(word: Word) -> str:
    if word.text in HARMLESS_SINKS and not word.open:
        return SAFE
    if _tidy(word, below=True) and not word.glob:
        return SAFE
    return DANGEROUS


def _private(text: str) -> bool:
    return re.match(r"/*(etc|root|home|proc)(/|$)|~|[^/]*/?\.", text) is not None


def _secret(text: str) -> bool:
    if re.fullmatch(r"/etc/ssl/certs/[\w.-]+\.pem", text):
        return False  # certificates are shown to whoever connects
    return SECRETS.search(text.rstrip("*?")) is not None or text.startswith("/dev/tcp")
