"""What a person asks of a transfer, apart from what goes where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from ctrkernel.errors import UsageError, one_line

_OCTAL: Final = re.compile(r"0?[0-7]{1,4}")
_CLAUSE: Final = re.compile(r"([ugoa]*)([-+=])([rwxXst]*)")
_WHO: Final = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
_WHAT: Final = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}


@dataclass(frozen=True, slots=True)
class Mode:
    """Permissions as chmod(1) takes them.

    Args:
        clauses: Bits to clear and bits to set, one pair after the other; the third value is set
            only on folders and on what somebody may execute already (``X``).
    """

    clauses: tuple[tuple[int, int, int], ...]

    @classmethod
    def parse(cls, text: str) -> Mode:
        """Read ``640``, or ``u=rw,go-w,a+X``; a folder gets x with each r of an octal one.

        Raises:
            UsageError: It is neither.
        """
        if _OCTAL.fullmatch(text):
            bits = int(text, 8)
            return cls(((0o7777, bits, (bits & 0o444) >> 2),))
        clauses = []
        for clause in text.split(","):
            found = _CLAUSE.fullmatch(clause)
            if found is None or not clause:
                raise UsageError(
                    f"{one_line(text, limit=40)!r} is no mode; write it as for chmod: "
                    "640, or u=rw,go=r"
                )
            who, sign, what = found.groups()
            mask = 0
            for one in who or "a":
                mask |= _WHO[one]
            bits = 0
            for one in what.replace("X", ""):
                bits |= _WHAT[one]
            bits &= mask
            extra = 0o111 & mask if "X" in what else 0
            match sign:
                case "+":
                    clauses.append((0, bits, extra))
                case "-":
                    clauses.append((bits | extra, 0, 0))
                case _:
                    clauses.append((mask & 0o777 | bits & 0o7000, bits, extra))
        return cls(tuple(clauses))

    def apply(self, mode: int, *, folder: bool) -> int:
        """Return what becomes of `mode`."""
        for clear, put, extra in self.clauses:
            executable = folder or bool(mode & 0o111)
            whole = len(self.clauses) == 1 and clear == 0o7777  # noqa: PLR2004 - an octal one
            mode = mode & ~clear | put
            if folder if whole else executable:
                mode |= extra
        return mode


@dataclass(frozen=True, slots=True)
class Options:
    """How to transfer.

    Args:
        archive: Keep the numeric owners; of a get only root can.
        follow_link: Transfer what a source that is a link leads to.
        owner: ``USER[:GROUP]`` who shall own it; None is the shell's user, of a get the caller.
        mode: What permissions become; None keeps them.
        parents: Make the folders that are missing above the destination.
        no_clobber: Leave files that exist alone.
        update: Transfer only files whose size or time differs from what exists.
        checksum: The same, by their content.
        verify: Compare checksums before anything takes its place.
        dry_run: Say what would happen, and do nothing.
    """

    archive: bool = False
    follow_link: bool = False
    owner: str | None = None
    mode: Mode | None = None
    parents: bool = False
    no_clobber: bool = False
    update: bool = False
    checksum: bool = False
    verify: bool = False
    dry_run: bool = False

    @property
    def choosy(self) -> bool:
        """Whether what exists must be known before anything moves."""
        return self.no_clobber or self.update or self.checksum or self.dry_run


def options_from(*, mode: str | None, **others: Any) -> Options:
    """Return the options that callers give in words.

    Args:
        mode: Permissions as chmod(1) takes them; None keeps them.
        others: As :class:`Options` has them.

    Raises:
        UsageError: `mode` is no mode, or there are two owners.
    """
    if others.get("archive") and others.get("owner") is not None:
        raise UsageError(
            "archive keeps the owners and owner names another; leave out --archive or --owner"
        )
    return Options(mode=None if mode is None else Mode.parse(mode), **others)


#: Nothing was asked for.
USUAL: Final = Options()
