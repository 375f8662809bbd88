"""The engine's archive API on its own Unix socket, for what is large.

The engine's client copies each byte of ``docker cp -`` once more, and where cores are few that is
what a large file waits for (`make bench`). Where the client's endpoint is a socket of this machine
the same request is made without it: ``PUT`` and ``GET /containers/ID/archive`` of the Engine API,
unversioned, as the documentation has them since 1.20. Else there is the client.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import quote

from ctrkernel.engine.process import CANCEL_INTERVAL, MOVE_SIZE, Cancelled, Stalled
from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.engine import Engine

#: Seconds for asking where the engine is, and for its socket to take the connection.
ENDPOINT_TIMEOUT: Final = 10.0
#: Bytes of an answer's head, and of the reason in it.
HEAD_LIMIT: Final = 64 * 1024
#: Bytes that are received at once.
RECEIVE_SIZE: Final = 1024 * 1024
_OK: Final = 200
_Moved = TypeVar("_Moved")
_GONE: Final = frozenset({errno.EPIPE, errno.ECONNRESET})


def socket_of(engine: Engine) -> str | None:
    """Return the path of the engine's socket on this machine; None if it is elsewhere.

    The client says it: contexts and ``DOCKER_HOST`` are its business.
    """
    if engine.name != "docker":
        return None
    words = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    try:
        done = engine.run(words, timeout=ENDPOINT_TIMEOUT)
    except CtrKernelError:
        return None
    kind, _, path = done.stdout.decode(errors="surrogateescape").strip().partition("://")
    return path if done.exit_code == 0 and kind == "unix" and path.startswith("/") else None


class ArchiveSocket:
    """One request of the archive API; it has the methods of a :class:`~.process.Child`.

    Args:
        path: The engine's socket; see :func:`socket_of`.
        container: The container's id.
        folder: Where a tar archive is unpacked, or what comes as one.
        put: Whether it is unpacked there.
        cancelled: Asked every :data:`~.process.CANCEL_INTERVAL` seconds; true raises
            :class:`~.process.Cancelled`.

    Raises:
        OSError: Nobody listens, or this user may not connect.
    """

    def __init__(
        self,
        path: str,
        container: str,
        folder: str,
        *,
        put: bool,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._cancelled = cancelled
        self._put = put
        self._finished = not put
        self._body = b""
        self._buffer = bytearray(0 if put else RECEIVE_SIZE)
        self._status = 0
        self._ended = False
        self.complaint = ""
        where = f"/containers/{quote(container)}/archive?path={quote(os.fsencode(folder), safe='')}"
        if put:
            # As the client asks; the length is not known, so the archive goes in chunks.
            head = f"PUT {where}&noOverwriteDirNonDir=true HTTP/1.1"
            head += "\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked"
        else:
            # HTTP/1.0 has no chunks: what follows the head is the archive, and nothing else.
            head = f"GET {where} HTTP/1.0"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
            # The kernel waits, and wakes us to ask `cancelled`: that takes half the wake-ups of
            # a poll (socket(7)).
            interval = struct.pack("ll", 0, int(CANCEL_INTERVAL * 1_000_000))
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self._socket.setsockopt(socket.SOL_SOCKET, option, interval)
            self._socket.sendall(f"{head}\r\nHost: docker\r\nConnection: close\r\n\r\n".encode())
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Give it up, or forget it: the engine stops when nobody is there."""
        self._socket.close()

    @property
    def ended(self) -> bool:
        """Whether the archive, or the answer, has come to its end."""
        return self._ended

    def write(self, data: bytes | bytearray | memoryview, *, timeout: float) -> bool:
        """Send all of `data`; as :meth:`.process.Child.write`."""
        framed = b"%x\r\n%b\r\n" % (len(data), bytes(data))
        return not data or self._send(framed, timeout)

    def write_file(self, descriptor: int, size: int, *, timeout: float) -> int:
        """Send up to `size` bytes of a file; as :meth:`.process.Child.write_file`."""
        size = min(size, MOVE_SIZE, _left(descriptor))
        if not size:
            return 0
        if not self._send(b"%x\r\n" % size, timeout):
            return -1
        left = size
        while left:
            sent = self._patiently(
                lambda left=left: os.sendfile(self._socket.fileno(), descriptor, None, left),  # type: ignore[misc]
                timeout,
            )
            if sent is None:
                return -1
            if not sent:  # it became shorter; without the rest of its chunk the engine drops it
                return 0
            left -= sent
        return size if self._send(b"\r\n", timeout) else -1

    def close_stdin(self) -> None:
        """Tell the engine that the archive is complete."""
        if not self._finished:
            self._finished = True
            self._send(b"0\r\n\r\n", ENDPOINT_TIMEOUT)

    def read(self, *, timeout: float) -> bytes:
        """Receive the next piece of the archive; as :meth:`.process.Child.read`."""
        if self._put or not self._answer(timeout):
            return b""
        data, self._body = self._body, b""
        return data or self._receive(RECEIVE_SIZE, timeout)

    def read_file(self, descriptor: int, size: int, *, at: int, timeout: float) -> int:
        """Move up to `size` bytes into a file; as :meth:`.process.Child.read_file`."""
        total, size = 0, min(size, MOVE_SIZE)
        # One buffer for all: a new one each time costs as much as what is copied into it.
        whole = memoryview(self._buffer)
        while total < size:
            room = whole[: min(size - total, RECEIVE_SIZE)]
            received = self._patiently(
                lambda room=room: self._socket.recv_into(room),  # type: ignore[misc]
                timeout,
                answer=True,
            )
            if not received:
                break
            rest = room[:received]
            while rest:
                written = os.pwrite(descriptor, rest, at + total)
                rest = rest[written:]
                total += written
        return total

    def wait(self, *, timeout: float) -> int:
        """Return 0 if the engine did what it was asked, else 1; as :meth:`.process.Child.wait`."""
        self.close_stdin()
        return 0 if self._answer(timeout) else 1

    def _answer(self, timeout: float) -> bool:
        """Read the head of the engine's answer once; whether it agrees."""
        if self._status:
            return self._status == _OK
        head, blank = b"", b""
        while not blank and len(head) < HEAD_LIMIT and (data := self._receive(HEAD_LIMIT, timeout)):
            head, blank, self._body = (head + data).partition(b"\r\n\r\n")
        words = head.split(None, 2)
        self._status = int(words[1]) if blank and words[1:] and words[1].isdigit() else -1
        if self._status == _OK:
            return True
        reason = self._body
        while len(reason) < HEAD_LIMIT and (data := self._receive(HEAD_LIMIT, timeout)):
            reason += data
        self._ended = True
        self.complaint = _reason(reason)
        return False

    def _receive(self, size: int, timeout: float) -> bytes:
        data = self._patiently(lambda: self._socket.recv(size), timeout, answer=True) or b""
        self._ended = not data
        return data

    def _send(self, data: bytes, timeout: float) -> bool:
        rest = memoryview(data)
        while rest:
            sent = self._patiently(lambda rest=rest: self._socket.send(rest), timeout)  # type: ignore[misc]
            if sent is None:
                return False
            rest = rest[sent:]
        return True

    def _patiently(
        self, move: Callable[[], _Moved], timeout: float, *, answer: bool = False
    ) -> _Moved | None:
        """Move bytes; None if the engine has hung up, or has answered before all was sent."""
        deadline = time.monotonic() + timeout
        while True:
            if self._cancelled is not None and self._cancelled():
                raise Cancelled
            try:
                return move()
            except BlockingIOError:
                if not answer and select.select([self._socket], [], [], 0)[0]:
                    return None
                if time.monotonic() >= deadline:
                    raise Stalled from None
            except OSError as error:
                if error.errno not in _GONE:
                    raise
                return None


def _left(descriptor: int) -> int:
    return max(0, os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR))


def _reason(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    try:
        said = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        return text
    return str(said)
