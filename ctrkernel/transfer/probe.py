"""What is at a path in a container, asked by one exec; see :mod:`.archive` for those without one.

The script is POSIX sh, uses builtins wherever it can, and runs as uid 0, because the engine's
archive API, which moves the bytes, acts as root too.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.transfer.placement import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

#: Seconds for the probe: it looks at a few paths.
PROBE_TIMEOUT: Final = 30.0
#: Bytes from which on a file is large: an exec, which is a stream of small frames, is slow for it.
LARGE: Final = 32 * 1024 * 1024

#: $1 is 1 if the user database is wanted, $2 a process or 0, $3 the blocks of a file that is large,
#: or 0 if nobody looks into folders, the rest are absolute paths without a trailing slash. Printed,
#: each ended by NUL: seven fields for a path, then the start of process 1, the process's ids, our
#: own capabilities, the tools, tar's first line, the user and group files, and the mounts. A dot
#: guards the newlines at the end of a name.
_SCRIPT: Final = r"""
LC_ALL=C; export LC_ALL
nl='
'
put() { printf '%s\0' "$1"; }
kind() {
  if [ -d "$1" ]; then k=d; elif [ -f "$1" ]; then k=f; elif [ -e "$1" ]; then k=o; else k=-; fi
}
real() { r=$(cd -P -- "$1" 2>/dev/null && pwd -P && echo .) || r=; r=${r%"$nl."}; }
content() { while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"; }
status() {
  [ -r "/proc/$1/status" ] && while IFS= read -r line; do
    case $line in "$2":*) printf '%s ' "$line";; esac
  done <"/proc/$1/status"
}
users=$1 pid=$2 large=$3; shift 3
for p; do
  d=${p%/*}; n=${p##*/}; [ -n "$d" ] || d=/
  m=; while [ ! -d "$d" ]; do m=$d; d=${d%/*}; [ -n "$d" ] || d=/; done
  kind "$m"; put "$m"; put "$k"
  real "$d"; parent=$r; put "$parent"
  kind "$p"; put "$k"
  if [ -h "$p" ]; then put l; else put n; fi
  if [ "$k" = d ]; then real "$p"
  elif [ -h "$p" ]; then r=$(readlink -f -- "$p" 2>/dev/null && echo .) || r=; r=${r%"$nl."}
  else r=${parent%/}/$n; fi
  put "$r"
  if [ "$k" = f ]; then put "$(stat -L -c '%.9Y %b %s' -- "$p" 2>/dev/null)"
  elif [ "$k" = d ] && [ "$large" != 0 ]; then
    put "$(find "$p/" -type f -size "+$large" -print -quit 2>/dev/null)"
  else put; fi
done
{ read -r line </proc/1/stat; } 2>/dev/null; put "${line##*) }"
status "$pid" Uid; status "$pid" Gid; put
status self CapEff; put
for t in tar mv rm find stat sha256sum md5sum cksum; do
  if command -v "$t" >/dev/null 2>&1; then printf '%s ' "$t"; fi
done; put
put "$(tar --version 2>/dev/null)"
[ "$users" = 0 ] || content /etc/passwd 2>/dev/null; put
[ "$users" = 0 ] || content /etc/group 2>/dev/null; put
content /proc/self/mountinfo; put
"""
_FIELDS = 7
_TAIL = 8
#: CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER (capabilities(7)).
_NEEDED: Final = 0b1011
_KINDS = {"d": Found.FOLDER, "f": Found.FILE, "o": Found.OTHER, "-": Found.MISSING}


@dataclass(frozen=True, slots=True)
class RemotePath:
    """A path in a container, as it was at one moment.

    Args:
        path: As it was asked for.
        found: What it is, links followed; a link that leads nowhere is missing.
        link: Whether the path itself is a link.
        parent: The parent folder without links, or None if it does not exist.
        real: The path without links; for something missing, its name in `parent`. None if it
            lies behind a link that could not be followed.
        missing: The first folder on the way that does not exist.
        blocked: `missing` exists, and is a file.
        above: The deepest folder above it that exists, without links.
        rest: What lies between `above` and the path.
        mtime_ns: A file's modification time, where `stat` tells it to the nanosecond; the
            engine's archives have whole seconds.
        dense: It is a file that has no holes, as far as `stat` can tell.
        size: A file's bytes, where `stat` tells them; else 0.
        holds_large: It is a folder with a file of :data:`LARGE` bytes, as far as was asked.
    """

    path: str
    found: Found
    link: bool
    parent: str | None
    real: str | None
    missing: str | None = None
    blocked: bool = False
    above: str = "/"
    rest: str = ""
    mtime_ns: int | None = None
    dense: bool = False
    size: int = 0
    holds_large: bool = False


@dataclass(frozen=True, slots=True)
class MountPoint:
    """A mount as the container's kernel shows it (proc_pid_mountinfo(5))."""

    path: str
    type: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """All that a transfer needs to know of a container.

    Args:
        paths: One for each path that was asked for.
        mounts: In the order in which they were mounted.
        by_exec: The container can run commands: staging and tar are possible.
        tools: Which of tar, mv and rm it has.
        gnu_tar: Its tar is GNU's.
        passwd: The text of its user file, if it was wanted.
        group: The text of its group file, if it was wanted.
        boot: Tells one run of the container from the next; empty where nobody knows.
        ids: Uid and gid of the process that was asked about.
        almighty: Our execs may do what root may; without, tar could not give files away.
    """

    paths: tuple[RemotePath, ...]
    mounts: tuple[MountPoint, ...]
    by_exec: bool
    tools: frozenset[str] = frozenset()
    gnu_tar: bool = False
    passwd: str = ""
    group: str = ""
    boot: str = ""
    ids: tuple[int, int] | None = None
    almighty: bool = False


def probe_by_exec(
    engine: Engine,
    container: ContainerInfo,
    paths: Sequence[str],
    *,
    users: bool = False,
    pid: int = 0,
    weigh: bool = False,
) -> Probe | None:
    """Look at `paths` in a running container with its own shell.

    Args:
        engine: The engine.
        container: A running container.
        paths: Absolute, without a trailing slash.
        users: Whether the user and group files are wanted.
        pid: A process in the container whose user is wanted; 0 for none.
        weigh: Whether large files in folders are looked for.

    Returns:
        None if the container has no shell, or stopped running.
    """
    large = str(LARGE // 512 if weigh else 0)
    argv = ["sh", "-c", _SCRIPT, "sh", "1" if users else "0", str(pid), large, *paths]
    command = engine.exec_argv(container.id, argv, user="0", env={"CDPATH": ""})
    done = engine.run(command[1:], timeout=PROBE_TIMEOUT)
    return parse_probe(done.stdout.decode("utf-8", "surrogateescape"), paths)


def parse_probe(printed: str, paths: Sequence[str]) -> Probe | None:
    """Read what the script printed; None if it did not run to its end."""
    fields = printed.split("\0")
    if len(fields) != _FIELDS * len(paths) + _TAIL + 1:
        return None
    found = tuple(
        _remote_path(path, fields[_FIELDS * at : _FIELDS * (at + 1)])
        for at, path in enumerate(paths)
    )
    boot, ids, able, tools, version, passwd, group, mounts = fields[-_TAIL - 1 : -1]
    return Probe(
        paths=found,
        mounts=parse_mountinfo(mounts),
        by_exec=True,
        tools=frozenset(tools.split()),
        gnu_tar="GNU tar" in version,
        passwd=passwd,
        group=group,
        boot=_boot(boot),
        ids=_ids(ids),
        almighty=_almighty(able),
    )


def parse_mountinfo(text: str) -> tuple[MountPoint, ...]:
    """Read ``/proc/self/mountinfo`` (proc_pid_mountinfo(5))."""
    mounts = []
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        words, rest = before.split(" "), after.split(" ")
        if not dash or len(words) < 6 or len(rest) < 3:  # noqa: PLR2004 - the manual's fields
            continue
        options = words[5].split(",") + rest[2].split(",")
        mounts.append(MountPoint(path=_unescape(words[4]), type=rest[0], read_only="ro" in options))
    return tuple(mounts)


def _boot(stat: str) -> str:
    """Read the start time behind the program's name (proc_pid_stat(5))."""
    words = stat.split()
    return words[19] if len(words) > 19 and words[19].isdigit() else ""  # noqa: PLR2004 - as above


def _ids(status: str) -> tuple[int, int] | None:
    """Read the effective ids of the lines Uid and Gid (proc_pid_status(5))."""
    words = status.split()
    if len(words) != 10 or not (words[2].isdigit() and words[7].isdigit()):  # noqa: PLR2004 - as above
        return None
    return int(words[2]), int(words[7])


def _almighty(status: str) -> bool:
    words = status.split()
    try:
        return int(words[1], 16) & _NEEDED == _NEEDED
    except (IndexError, ValueError):
        return False


def _remote_path(path: str, fields: Sequence[str]) -> RemotePath:
    missing, missing_kind, parent, kind, link, real, status = fields
    known = re.fullmatch(r"(\d+)\.(\d{9}) (\d+) (\d+)", status)
    first = missing or path
    return RemotePath(
        path=path,
        found=_KINDS[kind],
        link=link == "l",
        parent=None if missing else parent or None,
        real=None if missing else real or None,
        missing=missing or None,
        blocked=bool(missing) and missing_kind != "-",
        above=parent or "/",
        rest=path[len(posixpath.dirname(first)) :].lstrip("/"),
        mtime_ns=int(known[1] + known[2]) if known else None,
        # It counts 512 bytes on every system (stat(2)).
        dense=known is not None and int(known[3]) * 512 >= int(known[4]),
        size=int(known[4]) if known else 0,
        holds_large=kind == "d" and bool(status),
    )


def _unescape(path: str) -> str:
    """Undo the kernel's octal escapes of blanks, tabs, newlines and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)
