"""Whose staging folder is whose: its name tells, so that what a process left can be told apart."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Final

#: Stages of this process that are in use.
_in_use: Final[set[str]] = set()
_TAG: Final = re.compile(r"([0-9a-f]{8})\.([0-9]+)\.([0-9a-f]+)")


def tag() -> str:
    """Return this process's part of a stage's name: its machine, its number, when it started."""
    pid = os.getpid()
    return f"{_machine()}.{pid}.{_started(pid):x}"


def hold(token: str) -> None:
    """Remember that this process uses the stage of that name."""
    _in_use.add(token)


def let_go(token: str) -> None:
    """Forget a stage; if it is still there, it is left over."""
    _in_use.discard(token)


def is_left_over(token: str) -> bool:
    """Whether nobody uses the stage of that name any more, as far as this machine can tell.

    One of a process on another machine, or in another namespace of processes, is left alone.
    """
    found = _TAG.search(token)
    if found is None or found[1] != _machine() or token in _in_use:
        return False
    pid = int(found[2])
    return pid == os.getpid() or f"{_started(pid):x}" != found[3]


@cache
def _machine() -> str:
    """Tell this run of this machine, and its namespace of processes, from all others."""
    try:
        run = Path("/proc/sys/kernel/random/boot_id").read_text()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return os.urandom(4).hex()  # nobody can be known here: each process is for itself
    return hashlib.sha256(f"{run}{namespace}".encode()).hexdigest()[:8]


def _started(pid: int) -> int:
    """Return when a process started, in clock ticks (proc_pid_stat(5)); 0 if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return 0
    words = stat.rpartition(")")[2].split()
    return 0 if words[0] in {"Z", "X"} else int(words[19])
