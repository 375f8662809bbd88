"""Staging: new content is complete, under a name of our own, before it takes its place.

The staging folder lies in the destination folder, so that a rename puts each entry in its
place at once: a reader sees the old file or the new one, never half of one. On this machine we
rename; in a container a script does: see :mod:`.remote_stage`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from ctrkernel.engine.reaper import Reaper
from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.tree import unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

#: How every staging folder's name begins; what is left over after a power cut can be found by it.
PREFIX: Final = ".ctrkernel-"
#: Removes a folder whatever its modes are.
_REMOVE: Final = 'chmod -R u+rwX -- "$1"; rm -rf -- "$1"'


class LocalStage:
    """The staging folder of a get; a context manager, which removes it.

    It is locked while it is in use, so the next get into the same folder knows what was left
    over. A reaper removes it if this process is killed.

    Args:
        folder: The destination folder, without links.

    Raises:
        TransferError: Nothing can be made in `folder`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.path = os.path.join(folder, PREFIX + secrets.token_hex(8))  # noqa: PTH118 - names may be undecodable
        try:
            os.mkdir(self.path, 0o700)  # noqa: PTH102
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _cannot_write(folder, error) from error
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        argv = ["/bin/sh", "-c", _REMOVE, "sh", self.path]
        try:
            self._reaper = Reaper(argv, environ=os.environ)
        except BaseException:
            self._clear()
            raise
        _remove_left_over(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()
        self._reaper.dismiss()

    @property
    def life(self) -> int:
        """A descriptor that a child inherits which still needs the stage; see :class:`Reaper`."""
        return self._reaper.life

    def _clear(self) -> None:
        shutil.rmtree(self.path, onerror=_make_removable)
        os.close(self._lock)

    def place(self, *, clobber: bool = True, kept: frozenset[str] = frozenset()) -> None:
        """Move everything in it to its place.

        Args:
            clobber: Replace files that exist.
            kept: What is not moved after all, by paths below the stage.

        Raises:
            TransferError: Something is in the way; nothing was moved. Or a move failed.
        """
        for name in kept:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.path, name))  # noqa: PTH108, PTH118 - as above
        _check(self.path, self._folder)
        try:
            _move(self.path, self._folder, clobber=clobber)
        except OSError as error:
            raise _cannot_write(self._folder, error) from error


def folder_onto_file(path: str) -> TransferError:
    """Say that a folder cannot replace what is no folder."""
    return TransferError(f"{one_line(path)} is a file, and a folder would replace it; move it away")


def file_onto_folder(path: str) -> TransferError:
    """Say that a file cannot replace a folder."""
    return TransferError(f"{one_line(path)} is a folder, and a file would replace it; move it away")


def _check(stage: str, folder: str) -> None:
    for entry in _entries(stage):
        there = os.path.join(folder, entry.name)  # noqa: PTH118
        found = _mode(there)
        if found is None:
            continue
        if entry.is_dir(follow_symlinks=False):
            if not stat.S_ISDIR(found):
                raise folder_onto_file(there)
            _check(entry.path, there)
        elif stat.S_ISDIR(found):
            raise file_onto_folder(there)


def _move(stage: str, folder: str, *, clobber: bool) -> None:
    for entry in _entries(stage):
        there = os.path.join(folder, entry.name)  # noqa: PTH118
        if not entry.is_dir(follow_symlinks=False):
            if clobber or _mode(there) is None:
                os.replace(entry.path, there)  # noqa: PTH105
        elif _mode(there) is not None:
            _move(entry.path, there, clobber=clobber)
        else:
            # A folder that its owner may not write cannot be moved: its `..` changes (rename(2)).
            mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
            os.chmod(entry.path, mode | stat.S_IRWXU)  # noqa: PTH101
            os.rename(entry.path, there)  # noqa: PTH104
            os.chmod(there, mode)  # noqa: PTH101


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except PermissionError:
        # The archive's folder may not be readable by its owner; it is ours to look into.
        os.chmod(folder, stat.S_IRWXU)  # noqa: PTH101
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise unreadable(folder, error) from error


def _mode(path: str) -> int | None:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error


def _remove_left_over(folder: str) -> None:
    """Remove stages that nobody holds a lock on: those of processes that were killed."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        left = [each.path for each in entries if each.name.startswith(PREFIX)]
        for path in left:
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.fstat(descriptor).st_uid == os.geteuid():
                        shutil.rmtree(path, onerror=_make_removable)
                finally:
                    os.close(descriptor)


def _make_removable(remove: Callable[[str], object], path: str, _: object) -> None:
    """Open up what the archive's modes closed, and try once more."""
    with contextlib.suppress(OSError):
        Path(path).parent.chmod(stat.S_IRWXU)
        if not os.path.islink(path) and os.path.isdir(path):  # noqa: PTH112, PTH114
            os.chmod(path, stat.S_IRWXU)  # noqa: PTH101
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove(path)


def _cannot_write(folder: str, error: OSError) -> TransferError:
    reason = (error.strerror or str(error)).lower()
    return TransferError(
        f"cannot write in {one_line(folder)}: {reason}; choose a folder that you may write"
    )
