"""Read what processes hold in memory, from Linux's /proc (proc(5))."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]


@dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """One process's memory, in bytes.

    Args:
        rss: Resident pages, shared ones counted in full.
        pss: Resident pages, shared ones divided by their users.
        uss: Pages of this process alone.
    """

    rss: int
    pss: int
    uss: int


def footprint(pid: int) -> Footprint:
    """Return the memory of process `pid`."""
    fields = _fields(Path(f"/proc/{pid}/smaps_rollup"))
    return Footprint(
        rss=fields["Rss"],
        pss=fields["Pss"],
        uss=fields["Private_Clean"] + fields["Private_Dirty"],
    )


def children(pid: int) -> dict[str, Footprint]:
    """Return the memory of every descendant of process `pid`, by ``program[pid]``."""
    found: dict[str, Footprint] = {}
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            found[f"{child.name()}[{child.pid}]"] = footprint(child.pid)
    return found


def reset_peak(pid: int) -> int:
    """Set the process's peak to what it holds now, and return that, in bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return _fields(Path(f"/proc/{pid}/status"))["VmRSS"]


def peak(pid: int) -> int:
    """Return the most that the process has held since `reset_peak`, in bytes."""
    return _fields(Path(f"/proc/{pid}/status"))["VmHWM"]


def _fields(path: Path) -> dict[str, int]:
    """Return the lines of the form ``Name: 123 kB``, in bytes."""
    fields = {}
    for line in path.read_text(encoding="ascii").splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "kB":
            fields[words[0].rstrip(":")] = int(words[1]) * 1024
    return fields
