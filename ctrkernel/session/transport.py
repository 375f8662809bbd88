"""How bytes get to a shell and back: a terminal, held by the engine's CLI under pexpect.

pexpect starts the process on a terminal of its own and ends it; reading and writing are raw. Its
``expect`` costs 33 s for 10 MB and its ``send`` sleeps 50 ms each time, so neither is used.
"""

from __future__ import annotations

import errno
import os
import tty
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Bytes asked of the terminal at once; the Linux driver hands out about 4,096.
READ_SIZE = 1 << 16
#: Bytes gathered before they are looked at, so that a flood is parsed in large pieces.
GATHER_SIZE = 1 << 18
#: Status for a client whose end nobody could observe.
LOST_STATUS = 255


class Transport(ABC):
    """A terminal with a shell behind it."""

    @abstractmethod
    def fileno(self) -> int:
        """Return the descriptor to wait on."""

    @abstractmethod
    def read(self) -> bytes | None:
        """Return what there is, b"" where there is nothing yet, None at the end."""

    @abstractmethod
    def write(self, data: bytes) -> int:
        """Write as much as fits without waiting; return how many bytes that was."""

    @abstractmethod
    def resize(self, rows: int, columns: int) -> None:
        """Tell the terminal its size in characters."""

    @abstractmethod
    def close(self) -> int:
        """End the client and return its exit status; 128 + N for signal N, as a shell says."""


class PtyTransport(Transport):
    """A process on a pseudo-terminal of this machine, its line discipline switched off.

    Args:
        argv: The process; an engine's CLI that passes a terminal through.
        environ: Its environment.
        rows: Height in characters.
        columns: Width in characters.
    """

    def __init__(
        self, argv: Sequence[str], *, environ: Mapping[str, str], rows: int, columns: int
    ) -> None:
        self._child = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            env=dict(environ),
            echo=False,
            timeout=None,
            dimensions=(rows, columns),
        )
        self._fd: int = self._child.child_fd
        # The CLI makes its terminal raw when it is attached; what is typed before must wait as
        # it is, and must not come back as echo.
        tty.setraw(self._fd)
        os.set_blocking(self._fd, False)

    def fileno(self) -> int:
        """Return the terminal's descriptor."""
        return self._fd

    def read(self) -> bytes | None:
        """Gather what the terminal has; EIO is how Linux says that the other side is closed."""
        pieces: list[bytes] = []
        size = 0
        while size < GATHER_SIZE:
            try:
                piece = os.read(self._fd, READ_SIZE)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                piece = b""
            if not piece:
                return b"".join(pieces) or None
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def write(self, data: bytes) -> int:
        """Write what the terminal takes now."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            # The reader sees the end; what was to be typed has nobody to go to.
            return len(data)

    def resize(self, rows: int, columns: int) -> None:
        """Set the size; the CLI passes it on."""
        self._child.setwinsize(rows, columns)

    def close(self) -> int:
        """Hang up, then terminate, then kill, as pexpect does; collect the status."""
        self._child.close(force=True)
        if self._child.signalstatus is not None:
            return 128 + int(self._child.signalstatus)
        return LOST_STATUS if self._child.exitstatus is None else int(self._child.exitstatus)
