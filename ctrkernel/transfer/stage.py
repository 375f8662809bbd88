"""Staging: new content is complete, under a name of our own, before it takes its place.

The staging folder lies in the destination folder, so that a rename puts each entry in its
place at once: a reader sees the old file or the new one, never half of one. On this machine we
rename; in a container a script does.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from ctrkernel.errors import CtrKernelError, TransferError, one_line
from ctrkernel.transfer.pack import unreadable
from ctrkernel.transfer.remote import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

#: How every staging folder's name begins; what is left over after a power cut can be found by it.
PREFIX: Final = ".ctrkernel-"
#: Seconds for the renames in a container: `mv` across a mount copies.
PLACE_TIMEOUT: Final = 300.0
#: Seconds for removing what was staged.
REMOVE_TIMEOUT: Final = 30.0
#: Statuses of the script for what is in the way: a folder onto a file, a file onto a folder.
_FOLDER_ONTO_FILE, _FILE_ONTO_FOLDER = 73, 74

#: $1 is the staging folder, $2 the destination. Everything is checked before anything moves.
_PLACE_SCRIPT: Final = r"""
LC_ALL=C; export LC_ALL
check() (
  for e in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$e" ] || [ -h "$e" ] || continue
    t=$2/${e##*/}
    if [ -d "$e" ] && [ ! -h "$e" ]; then
      if [ -h "$t" ] || { [ -e "$t" ] && [ ! -d "$t" ]; }; then printf '%s' "$t"; exit 73; fi
      if [ -d "$t" ]; then check "$e" "$t" || exit; fi
    elif [ -d "$t" ] && [ ! -h "$t" ]; then printf '%s' "$t"; exit 74
    fi
  done
)
flush() { [ "$#" -eq 1 ] || { d=$1; shift; mv -f -- "$@" "$d/"; }; }
move() (
  s=$1 d=$2; shift 2; n=0
  for e in "$s"/* "$s"/.[!.]* "$s"/..?*; do
    [ -e "$e" ] || [ -h "$e" ] || continue
    t=$d/${e##*/}
    if [ -d "$e" ] && [ ! -h "$e" ] && [ -d "$t" ]; then move "$e" "$t" || exit
    else
      set -- "$@" "$e"; n=$((n + 1))
      if [ "$n" -ge 200 ]; then flush "$d" "$@" || exit; set --; n=0; fi
    fi
  done
  flush "$d" "$@"
)
d=${2%/}
check "$1" "$d" && move "$1" "$d" && rm -rf -- "$1"
"""


def new_name() -> str:
    """Return a name for a staging folder that nobody else has."""
    return PREFIX + secrets.token_hex(8)


class RemoteStage:
    """The staging folder of a put; a context manager, which removes it after an error.

    The archive itself makes it.

    Args:
        engine: The engine.
        container: The container.
        folder: The destination folder, without links.
        user: Who else may move the files, if root may not: it lacks the capability in some.
    """

    def __init__(self, engine: Engine, container: ContainerInfo, *, folder: str, user: str) -> None:
        self._engine = engine
        self._container = container
        self._folder = folder
        self._users = ("0", user)
        self.name = new_name()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            self.remove()

    @property
    def path(self) -> str:
        """Where it is in the container."""
        return f"{self._folder.rstrip('/')}/{self.name}"

    def place(self) -> None:
        """Move everything in it to its place and remove it.

        Raises:
            TransferError: Something is in the way, or the move failed.
        """
        argv = ["sh", "-c", _PLACE_SCRIPT, "sh", self.path, self._folder]
        code, said, complaint = 0, "", ""
        for user in self._users:
            command = self._engine.exec_argv(self._container.id, argv, user=user)
            done = self._engine.run(command[1:], timeout=PLACE_TIMEOUT)
            code, said = done.exit_code, done.stdout.decode(errors="replace")
            complaint = complaint or done.message
            if code in {0, _FOLDER_ONTO_FILE, _FILE_ONTO_FOLDER}:
                break
        where = f"{self._container.name}:"
        if code == _FOLDER_ONTO_FILE:
            raise folder_onto_file(where + said)
        if code == _FILE_ONTO_FOLDER:
            raise file_onto_folder(where + said)
        if code:
            doing = f"cannot write in {where}{one_line(self._folder)}"
            raise failure(self._engine, self._container, doing=doing, said=complaint)

    def remove(self) -> None:
        """Remove it, as far as the container still can; never raises an error of ours."""
        argv = ["rm", "-rf", "--", self.path]
        for user in self._users:
            with contextlib.suppress(CtrKernelError):
                command = self._engine.exec_argv(self._container.id, argv, user=user)
                if self._engine.run(command[1:], timeout=REMOVE_TIMEOUT).exit_code == 0:
                    return


class LocalStage:
    """The staging folder of a get; a context manager, which removes it.

    Args:
        folder: The destination folder, without links.

    Raises:
        TransferError: Nothing can be made in `folder`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.path = os.path.join(folder, new_name())  # noqa: PTH118 - names may be undecodable
        try:
            os.mkdir(self.path, 0o700)  # noqa: PTH102
        except OSError as error:
            raise _cannot_write(folder, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, onerror=_make_removable)

    def place(self) -> None:
        """Move everything in it to its place.

        Raises:
            TransferError: Something is in the way; nothing was moved. Or a move failed.
        """
        _check(self.path, self._folder)
        try:
            _move(self.path, self._folder)
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


def _move(stage: str, folder: str) -> None:
    for entry in _entries(stage):
        there = os.path.join(folder, entry.name)  # noqa: PTH118
        if not entry.is_dir(follow_symlinks=False):
            os.replace(entry.path, there)  # noqa: PTH105
        elif _mode(there) is not None:
            _move(entry.path, there)
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
