"""Which files move: those that are new or differ; and what a dry run says of them."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import one_line
from ctrkernel.protocol.tar_stream import Kind
from ctrkernel.transfer.listing import Entry
from ctrkernel.transfer.stage import file_onto_folder, folder_onto_file

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ctrkernel.transfer.options import Options

_SECOND: Final = 1_000_000_000
#: Lines that a dry run shows; the rest is counted.
SHOWN_LIMIT: Final = 200


@dataclass(slots=True)
class Choice:
    """Says of each entry whether it moves, and keeps count.

    Args:
        options: What was asked.
        show: Makes the line of a dry run of a name.
    """

    options: Options
    show: Callable[[str], str] = field(default=one_line)
    #: Files that stay as they are, because they are the same or are not to be replaced.
    kept: int = 0
    #: What a dry run says.
    lines: list[str] = field(default_factory=list)
    _planned: int = 0

    def moves(self, name: str, new: Entry, old: Entry | None, *, same: bool | None = None) -> bool:
        """Decide on one entry.

        Args:
            name: For the line of a dry run.
            new: What would come.
            old: What is there.
            same: Whether their contents are the same, where that was asked.
        """
        if old is None:
            self._plan("new", name)
            return True
        if new.kind is Kind.FOLDER and old.kind is Kind.FOLDER:
            return False
        if self.options.no_clobber:
            self.kept += 1
            return False
        if same if self.options.checksum else self.options.update and _unchanged(new, old):
            self.kept += 1
            return False
        self._plan("replaced", name)
        return True

    def notes(self) -> list[str]:
        """Return what a summary says of it."""
        said = list(self.lines)
        if self._planned > len(self.lines) and self.options.dry_run:
            said.append(f"and {self._planned - len(self.lines):,} more")
        if self.kept:
            files = "1 file" if self.kept == 1 else f"{self.kept:,} files"
            why = "exist and stay" if self.options.no_clobber else "unchanged"
            if self.options.no_clobber and self.kept == 1:
                why = "exists and stays"
            said.append(f"{files} {why}")
        return said

    def _plan(self, what: str, name: str) -> None:
        if not self.options.dry_run:
            return
        self._planned += 1
        if len(self.lines) < SHOWN_LIMIT:
            self.lines.append(f"{what}: {self.show(name)}")


def _unchanged(new: Entry, old: Entry) -> bool:
    if new.kind is not old.kind or new.kind is Kind.FOLDER:
        return False
    if new.kind is Kind.FILE and new.size != old.size:
        return False
    if new.mtime_ns == old.mtime_ns:
        return True
    # One side may know whole seconds only.
    whole = 0 in {new.mtime_ns % _SECOND, old.mtime_ns % _SECOND}
    return whole and new.mtime_ns // _SECOND == old.mtime_ns // _SECOND


def refuse_other_kind(path: str, new: Entry, old: Entry) -> None:
    """Refuse to put a folder in the place of a file, or a file in that of a folder.

    Raises:
        TransferError: That is what would happen at `path`.
    """
    if new.kind is Kind.FOLDER and old.kind is not Kind.FOLDER:
        raise folder_onto_file(path)
    if new.kind is not Kind.FOLDER and old.kind is Kind.FOLDER:
        raise file_onto_folder(path)


def entry_of(status: os.stat_result) -> Entry:
    """Return what a status on this machine says."""
    if stat.S_ISREG(status.st_mode):
        kind = Kind.FILE
    elif stat.S_ISDIR(status.st_mode):
        kind = Kind.FOLDER
    elif stat.S_ISLNK(status.st_mode):
        kind = Kind.LINK
    else:
        kind = Kind.DEVICE
    return Entry(kind, status.st_size, status.st_mtime_ns)
