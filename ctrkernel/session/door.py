"""A socket through which a terminal of the same user joins a session of this process."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import struct
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ctrkernel.errors import SessionError
from ctrkernel.session.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctrkernel.session.shell import ShellSession

#: Characters of the name that tell sessions apart.
_NAME_SIZE = 24
#: Terminals that may wait to be let in.
_BACKLOG = 4


class Door:
    """Listens until it is closed; each terminal that comes is served in a thread of its own.

    Args:
        session: The session to join.
    """

    def __init__(self, session: ShellSession) -> None:
        self._session = session
        self.path = str(
            runtime_folder() / f"{_name(session.container, session.name)}-{os.getpid()}.sock"
        )
        with contextlib.suppress(FileNotFoundError):
            Path(self.path).unlink()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            with _short(Path(self.path)) as short:
                self._socket.bind(short)
            Path(self.path).chmod(0o600)
            self._socket.listen(_BACKLOG)
        except OSError as error:
            self._socket.close()
            raise SessionError(
                f"{self.path} cannot be made: {error.strerror or error}; set XDG_RUNTIME_DIR to a "
                "folder of your own"
            ) from error
        self._visits: list[Visit] = []
        self._closed = False
        threading.Thread(target=self._listen, name="ctrkernel-door", daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more, and send away who is."""
        self._closed = True
        with contextlib.suppress(FileNotFoundError):
            Path(self.path).unlink()
        # Closing alone does not wake accept(2).
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for visit in tuple(self._visits):
            visit.close()

    def _listen(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if _user(connection) != os.getuid():
                connection.close()
                continue
            visit = Visit(self._session, connection)
            self._visits.append(visit)
            threading.Thread(
                target=self._serve, args=(visit,), name="ctrkernel-visit", daemon=True
            ).start()

    def _serve(self, visit: Visit) -> None:
        try:
            visit.serve()
        finally:
            self._visits.remove(visit)


def join(container: str, session: str) -> socket.socket:
    """Return a connection to the session of that name, the one whose door was opened last.

    Raises:
        SessionError: No notebook has opened the door.
    """
    folder = runtime_folder()
    doors = sorted(folder.glob(f"{_name(container, session)}-*.sock"), key=_age, reverse=True)
    for path in doors:
        connection = socket.socket(socket.AF_UNIX)
        try:
            with _short(path) as short:
                connection.connect(short)
        except ConnectionRefusedError:
            # Its process was killed.
            path.unlink(missing_ok=True)
        except OSError:
            pass
        else:
            return connection
        connection.close()
    raise SessionError(
        f"no notebook lets a terminal into session {session} of {container}; "
        "type %ctr_interact in a cell of it first"
    )


def runtime_folder() -> Path:
    """Return the folder of the doors, which only this user may look into; it is made if need be.

    Raises:
        SessionError: It is somebody else's.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and Path(base).is_dir():
        folder = Path(base) / "ctrkernel"
    else:
        folder = Path(tempfile.gettempdir()) / f"ctrkernel-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise SessionError(
            f"{folder} cannot be made: {error.strerror}; set XDG_RUNTIME_DIR to a folder of yours"
        ) from error
    private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
    if not private or found.st_uid != os.getuid():
        raise SessionError(
            f"{folder} is not yours alone; remove it, or set XDG_RUNTIME_DIR to a folder of yours"
        )
    return folder


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Yield a name of `path` that fits: an address of unix(7) has room for 107 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _name(container: str, session: str) -> str:
    return hashlib.sha256(f"{container}\0{session}".encode()).hexdigest()[:_NAME_SIZE]


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _user(connection: socket.socket) -> int:
    """Return the uid of who is at the other end, as Linux tells it: unix(7)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    _, user, _ = struct.unpack("3i", credentials)
    return int(user)
