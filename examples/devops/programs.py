"""The programs that runbooks call, and when a call of them is harmless."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

SAFE, UNKNOWN, DANGEROUS = "safe", "unknown", "dangerous"

FORBIDDEN = frozenset(
    """
shutdown reboot halt poweroff init telinit kexec fdisk sfdisk sgdisk gdisk cfdisk cgdisk parted
wipefs shred blkdiscard growpart pvcreate
iptables ip6tables iptables-restore ip6tables-restore nft ebtables arptables ufw firewall-cmd
userdel deluser groupdel useradd adduser usermod passwd chpasswd visudo setcap chattr
lvremove vgremove pvremove lvreduce zfs zpool mdadm cryptsetup hdparm mkswap swapoff badblocks
dropdb dropuser dd debugfs tune2fs insmod rmmod modprobe sysctl mount umount losetup
drop truncate_table delete alter grant revoke flushall flushdb format diskpart del rd
powershell pwsh remove-item stop-computer restart-computer cmd.exe
alias trap source . exec function coproc enable bind hash set shopt crontab at batch
python python2 perl ruby node php lua tclsh gdb vim vi nano emacs ed ex expect m4
nc ncat netcat socat telnet ftp sftp tftp busybox toybox chmod chown chgrp setfacl
terraform tofu terragrunt pulumi ansible ansible-playbook puppet chef-client
killall5 skill history setenforce apt-mark dpkg rpm mongo mongosh
ifup ifdown nmcli netplan brctl ovs-vsctl tc wg-quick hwclock loginctl machinectl
grub-install grub2-install update-grub grub2-mkconfig grub-mkconfig efibootmgr bootctl dracut
pip pip3 pipx gem cargo gpg gpg2 7z 7za zip
""".split()
)
"""Never started by a runbook, whatever stands behind them: they undo a machine, or read code."""

LOOKS = {
    "crontab": r"-l",
    "iptables": r"(-t \w+ )?(-[LS]n?v?|-n -L|-L -n|-L -n -v|-nvL)( [A-Z]+)?",
    "ip6tables": r"(-[LS]n?|-L -n)",
    "sysctl": r"(-n )?[a-z0-9_.]+",
    "mount": r"",
    "ufw": r"status( verbose)?",
    "swapon": r"(-s|--show)",
    "shutdown": r"-c",
}
"""Forbidden programs, in the forms that only look."""

WRAPPERS: dict[str, frozenset[str]] = {
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-T", "-r", "-t"}),
    "doas": frozenset({"-u", "-C"}),
    "env": frozenset({"-u", "-C"}),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n", "-p"}),
    "timeout": frozenset({"-s", "-k"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "xargs": frozenset({"-n", "-I", "-P", "-L", "-d", "-a", "-s", "-E"}),
    "watch": frozenset({"-n"}),
    "ssh": frozenset({"-p", "-i", "-l", "-o", "-F", "-J"}),
    "su": frozenset({"-c", "-s", "-l", "-"}) - {"-c", "-l", "-"},
    "flock": frozenset({"-w", "-E"}),
    "chroot": frozenset(),
    "systemd-run": frozenset({"-p", "-u", "-M"}),
    "parallel": frozenset({"-j"}),
    **dict.fromkeys(
        "nohup setsid time command builtin unshare nsenter script strace ltrace cgexec chrt taskset"
        " firejail fakeroot unbuffer caffeinate catchsegv".split(),
        frozenset[str](),
    ),
}
OPERANDS = {"timeout": 1, "ssh": 1, "flock": 1, "chroot": 1, "taskset": 1, "chrt": 1}
"""How many words stand before the program that they start."""

FIND_ACTS = frozenset("-delete -exec -execdir -ok -okdir -fprint -fprintf -fprint0 -fls".split())


def _verbs(safe: str, dangerous: str, bad: str = r"(?!)") -> Callable[[Sequence[str]], str]:
    """A rule for programs with subcommands: the first word that is no option decides."""
    good, evil = frozenset(safe.split()), frozenset(dangerous.split())

    def rule(args: Sequence[str]) -> str:
        words = [arg.casefold() for arg in args if not arg.startswith("-")]
        text = " ".join(args)
        if any(word in evil for word in words) or re.search(bad, text, re.I):
            return DANGEROUS
        return SAFE if any(word in good for word in words[:4]) else UNKNOWN

    return rule


def _service(args: Sequence[str]) -> str:
    words = [arg.casefold() for arg in args if not arg.startswith("-")]
    vital = re.compile(r"(ssh|sshd|network|networking|systemd-\w+|firewalld|auditd|dbus|\*)"
                       r"(\.service)?|.*\*.*|.*\.target")  # fmt: skip
    if set(words) & set("poweroff reboot halt kexec isolate rescue emergency exit mask disable kill"
                        " set-default stop suspend hibernate edit link revert set-environment"
                        " switch-root soft-reboot enable import-environment".split()):  # fmt: skip
        return DANGEROUS
    if any(vital.fullmatch(word) for word in words) and "status" not in words:
        return DANGEROUS
    if any(arg.startswith(("-H", "--host", "-M", "--machine", "--root")) for arg in args):
        return UNKNOWN
    good = set("restart start reload status is-active is-failed show list-units try-restart cat"
               " daemon-reload reset-failed reload-or-restart list-timers is-enabled"
               " list-dependencies list-jobs".split())  # fmt: skip
    return SAFE if set(words) & good else UNKNOWN


def _kill(args: Sequence[str]) -> str:
    text = " ".join(args)
    if re.search(r"(^|\s)-?(1|-1|0)\s*$|\s-1(\s|$)", text) or re.search(r"-f\s*\.|\s\.\*?$", text):
        return DANGEROUS
    if re.search(r"(sshd?|systemd|init|kernel|\*)\s*$|(^| )-u ?root", text):
        return DANGEROUS
    hangup = args[:1] in (
        ["-HUP"],
        ["-1"],
        ["-USR1"],
        ["-s"],
        ["-TERM"],
        ["-15"],
        ["-QUIT"],
        ["-3"],
    )
    return SAFE if hangup and len(args) == 2 else UNKNOWN


def _curl(args: Sequence[str]) -> str:
    text = " ".join(args)
    urls = [arg for arg in args if re.match(r"(https?://)?(localhost|127\.0\.0\.1|[\w-]+\.internal)"
                                            r"(:\d+)?(/[^@]*)?$", arg)]  # fmt: skip
    others = [arg for arg in args if "://" in arg and arg not in urls]
    if re.search(r"(^| )(-[a-zA-Z]*[TKF]|--upload|--config|--form|--unix|--proxy|-x|--next)", text):
        return DANGEROUS
    if others or re.search(r"@|\bdelete\b|file:|gopher:|/shutdown|_all\b", text, re.I):
        return DANGEROUS
    for number, arg in enumerate(args):
        if re.match(r"-[a-zA-Z]*[oO]$|--output", arg):
            target = args[number + 1] if number + 1 < len(args) else ""
            if not re.match(r"(/dev/null|/tmp/[\w.-]+)$", target):
                return DANGEROUS
    sends = re.search(r"(^| )(-[a-zA-Z]*d|--data|--json|(-\w*X|--request)[ =]?(?!GET|HEAD))", text)
    return SAFE if urls and not sends else UNKNOWN


def _disk_move(args: Sequence[str]) -> str:
    targets = [arg for arg in args if not arg.startswith("-")]
    tidy = all(
        re.match(r"/(tmp|var/tmp|var/log|var/cache)/[\w]", t) and ".." not in t for t in targets
    )
    return SAFE if tidy and len(targets) > 1 else DANGEROUS


def _inline(args: Sequence[str]) -> str:
    if args[:2] == ["-m", "json.tool"] or args in (["--version"], ["-V"]):
        return SAFE
    return DANGEROUS


_KUBE = _verbs(
    "get describe logs top rollout version cluster-info api-resources explain events auth",
    "delete drain exec apply replace patch edit attach cp debug run proxy taint create undo ns"
    " label annotate cordon set autoscale expose certificate config plugin",
    r"--all\b|--replicas[= ]0+\b|--kubeconfig|--raw|--force",
)


def _kubectl(args: Sequence[str]) -> str:
    words = [arg for arg in args if not arg.startswith("-")]
    more = re.search(r"--replicas[= ]([1-9]|1\d|20)(\s|$)", " ".join(args))
    if "scale" in words and more:
        return _KUBE([*(w for w in args if w != "scale"), "get"])
    if "logs" in words[:3] or "get" in words[:3]:
        secret = any(w.startswith("secret") for w in words)
        return DANGEROUS if secret else _KUBE(args)
    return _KUBE(args)


RULES: dict[str, Callable[[Sequence[str]], str]] = {
    "systemctl": _service,
    "service": _service,
    "supervisorctl": _verbs("restart status start reread update tail", "stop shutdown all remove"),
    "nginx": lambda args: (
        SAFE
        if list(args) in (["-t"], ["-T"], ["-v"], ["-V"], ["-s", "reload"], ["-s", "reopen"])
        else DANGEROUS
    ),
    "apachectl": _verbs("configtest graceful status", "stop graceful-stop"),
    "pm2": _verbs("restart reload list status logs", "delete kill stop all"),
    "kill": _kill,
    "pkill": _kill,
    "killall": _kill,
    "curl": _curl,
    "mv": _disk_move,
    "cp": _disk_move,
    "ln": _disk_move,
    "rsync": _disk_move,
    "tar": lambda args: DANGEROUS,
    "wget": lambda args: DANGEROUS,
    "python3": _inline,
    "kubectl": _kubectl,
    "oc": _kubectl,
    "docker": _verbs(
        "ps restart logs stats inspect images start df version top port prune",
        "rm rmi kill stop run exec volume build cp network swarm push import load save commit"
        " update down compose service stack",
        r"\bprune\b.*(-a|--all|--volumes)|-H\b|--host|--privileged",
    ),
    "helm": _verbs(
        "list status history get",
        "uninstall delete upgrade install rollback",
        r"post-renderer|\bvalues\b",
    ),
    "git": _verbs(
        "status log diff show",
        "push reset clean checkout rm filter-branch gc rebase config clone pull update-ref stash"
        " submodule merge apply am worktree bisect replace notes switch restore revert prune",
        r"(?-i:-c\b|branch.* -[a-zA-Z]*[dDmMfcC]|--exec|--output|ext-diff|-O)",
    ),
    "redis-cli": _verbs(
        "ping info dbsize slowlog memory ttl get llen client",
        "flushall flushdb shutdown config del unlink eval evalsha script debug replicaof slaveof"
        " module migrate save bgrewriteaof set rename keys kill pause function failover reset",
        r"--eval|--pipe|-x\b",
    ),
    "rabbitmqctl": _verbs(
        "status list_queues list_connections cluster_status",
        "reset force_reset stop stop_app purge_queue delete_queue delete_user delete_vhost eval"
        " forget_cluster_node",
    ),
    "nodetool": _verbs(
        "status info tpstats compactionstats flush",
        "drain decommission removenode stopdaemon assassinate clearsnapshot",
    ),
    "aws": _verbs(
        "sts",
        "rm",
        r"delete|terminate|remove|detach|attach|revoke|put-|modify|stop-|purge|destroy|rb\b|sync",
    ),
    "gcloud": _verbs("version info", "delete", r"delete|stop|remove|reset"),
    "az": _verbs("version", "delete", r"delete|stop|remove|purge"),
    "apt-get": _verbs(
        "clean autoclean update", "remove purge autoremove dist-upgrade", r"-o\b|-c\b"
    ),
    "apt": _verbs(
        "clean autoclean update list", "remove purge autoremove full-upgrade", r"-o\b|-c\b"
    ),
    "yum": _verbs("clean list", "remove erase autoremove"),
    "dnf": _verbs("clean list", "remove erase autoremove"),
    "snap": _verbs("list", "remove disable"),
    "npm": _verbs("ls", "run exec unpublish install"),
    "make": lambda args: DANGEROUS,
    "logrotate": lambda args: (
        SAFE
        if all(
            re.fullmatch(r"-[fvd]+|--force|--verbose|/etc/logrotate\.(conf|d/[\w-]+)", a)
            for a in args
        )
        else DANGEROUS
    ),
    "etcdctl": _verbs("endpoint member", "del defrag remove put", r"\bmember (remove|add|update)"),
    "consul": _verbs("members", "delete leave force-leave put"),
    "pg_isready": lambda args: SAFE,
    "mysqladmin": _verbs(
        "ping status processlist extended-status", "drop shutdown kill create password flush-all"
    ),
}
