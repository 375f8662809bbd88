"""The processes of a container, as the engine's ``top`` shows them.

Limits: Docker runs ``ps`` on the engine's host, so pids are the host's and the columns are what
that ``ps`` can do; Podman knows neither the wait channel nor the ``+`` of a foreground process.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Columns asked of Docker's host-side ``ps`` (procps); the last one may contain blanks.
DOCKER_COLUMNS = ("pid", "ppid", "pgid", "tpgid", "tty", "stat", "wchan:32", "args")
#: Podman's own descriptors (podman-top(1)); ``hpid`` is the pid on the host.
PODMAN_COLUMNS = ("hpid", "pid", "ppid", "pgid", "tty", "state", "args")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a container.

    Args:
        pid: On the engine's host.
        ppid: The parent's, in the same numbering as `pid` for Docker, the container's for Podman.
        pgid: The process group, numbered as `ppid`.
        tpgid: The foreground group of its terminal, or None where the engine does not tell.
        tty: Such as ``pts/0``; None without a terminal.
        stat: As ``ps`` writes it: ``S+`` is asleep in the foreground of its terminal.
        wchan: The kernel function in which it sleeps, or None.
        command: The command line.
    """

    pid: int
    ppid: int
    pgid: int
    tpgid: int | None
    tty: str | None
    stat: str
    wchan: str | None
    command: str


def parse_docker_top(printed: str) -> list[Process]:
    """Read ``docker top CONTAINER -eo <DOCKER_COLUMNS>``; lines of another form are skipped."""
    found = []
    for line in printed.splitlines()[1:]:
        words = line.split(None, len(DOCKER_COLUMNS) - 1)
        numbers = [_number(word) for word in words[:4]]
        if len(words) < len(DOCKER_COLUMNS) - 1 or None in numbers:
            continue
        pid, ppid, pgid, tpgid = (number or 0 for number in numbers)
        _, _, _, _, tty, stat, wchan = words[:7]
        command = words[7] if len(words) == len(DOCKER_COLUMNS) else ""
        found.append(
            Process(
                pid=pid,
                ppid=ppid,
                pgid=pgid,
                tpgid=tpgid if tpgid > 0 else None,
                tty=None if tty == "?" else tty,
                stat=stat,
                wchan=None if wchan in {"-", "0"} else wchan,
                command=command,
            )
        )
    return found


def parse_podman_top(printed: str) -> list[Process]:
    """Read ``podman top CONTAINER <PODMAN_COLUMNS>``; lines of another form are skipped."""
    found = []
    for line in printed.splitlines()[1:]:
        words = line.split(None, len(PODMAN_COLUMNS) - 1)
        numbers = [_number(word) for word in words[:4]]
        if len(words) < len(PODMAN_COLUMNS) - 1 or None in numbers:
            continue
        host_pid, _, ppid, pgid = (number or 0 for number in numbers)
        found.append(
            Process(
                pid=host_pid,
                ppid=ppid,
                pgid=pgid,
                tpgid=None,
                tty=None if words[4] == "?" else words[4],
                stat=words[5],
                wchan=None,
                command=words[6] if len(words) == len(PODMAN_COLUMNS) else "",
            )
        )
    return found


def _number(word: str) -> int | None:
    try:
        return int(word)
    except ValueError:
        return None
