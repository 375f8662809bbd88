"""Where the whole of a cell's output is kept when the notebook holds its ends only."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes that all files together may have; the oldest are removed.
TOTAL_LIMIT: Final = 4 * 10**9
#: Bytes of one file.
FILE_LIMIT: Final = 2 * 10**9
#: Bytes that stay free on the disk: a notebook must not be what fills it.
FREE_LIMIT: Final = 500 * 10**6
#: Bytes written between two looks at the disk.
LOOK_INTERVAL: Final = 64 * 10**6


class OverflowFile:
    """One cell's whole output, in a private folder of the person's; it never raises.

    Args:
        folder: Made where it is missing, for its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._look_due = 0
        #: The file, once there is one.
        self.path: Path | None = None
        #: Bytes in it.
        self.size = 0
        #: Why it does not hold everything; empty while it does.
        self.trouble = ""

    def write(self, text: str) -> None:
        """Append `text`; what is wrong is told by :attr:`trouble`."""
        if self.trouble:
            return
        data = memoryview(text.encode("utf-8", "replace"))
        try:
            if self._descriptor is None:
                self._open()
            assert self._descriptor is not None
            self._look()
            while data and not self.trouble:
                written = os.write(self._descriptor, data[: FILE_LIMIT - self.size])
                self.size += written
                data = data[written:]
                if self.size >= FILE_LIMIT:
                    self.trouble = "a file may not be larger"
        except OSError as error:
            self.trouble = one_line(error.strerror or str(error))
        if self.trouble and not self.size:
            # A file that holds nothing is none.
            self.discard()

    def close(self) -> None:
        """Close the file; it stays."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def discard(self) -> None:
        """Remove the file."""
        self.close()
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self.path = None

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        prune(self._folder, TOTAL_LIMIT - FILE_LIMIT)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        for number in range(1, 1000):
            path = self._folder / f"{stamp}-{os.getpid()}-{number}.txt"
            with contextlib.suppress(FileExistsError):
                self._descriptor = os.open(path, flags, 0o600)
                self.path = path
                return
        raise FileExistsError(0, "too many files of one second", str(self._folder))

    def _look(self) -> None:
        """See that the disk has room, now and then."""
        if self.size < self._look_due:
            return
        self._look_due = self.size + LOOK_INTERVAL
        assert self._descriptor is not None
        disk = os.fstatvfs(self._descriptor)
        if disk.f_bavail * disk.f_frsize < FREE_LIMIT:
            self.trouble = "the disk is nearly full"


def overflow_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for such files: the cache, by the XDG base directory specification."""
    cache = environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if os.path.isabs(cache) else Path(environ.get("HOME", "/tmp"), ".cache")  # noqa: PTH117, S108 - an empty name is not absolute
    return base / "ctrkernel" / "output"


def prune(folder: Path, limit: int) -> None:
    """Remove the oldest of our files until they have at most `limit` bytes."""
    found = []
    for path in folder.glob("*.txt"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            found.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
