"""A session's side of a visit: a person's terminal that has joined it.

The terminal is another process, or this one's own; either way it speaks in frames over a socket.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING

from ctrkernel.errors import CtrKernelError, ShellBusy
from ctrkernel.protocol.conversation import has_command
from ctrkernel.protocol.frames import BadFrame, Frame, FrameKind, FrameParser, json_frame

if TYPE_CHECKING:
    import socket

    from ctrkernel.session.execution import Execution
    from ctrkernel.session.shell import ShellSession

#: Bytes asked of the socket at once.
READ_SIZE = 1 << 16
#: Bytes that may wait for a terminal which takes none, as a stopped one; then output is left out,
#: because the session must go on.
WAITING_LIMIT = 8 << 20
#: Characters of output in one frame.
OUTPUT_SIZE = 1 << 20
#: A terminal has at most so many rows and columns.
SIZE_LIMIT = 10_000


class Visit:
    """Serves one terminal until it leaves.

    A terminal that goes without a word, because its window was closed or it was killed, takes the
    command with it that was entered there, as a hang-up does. One that was detached leaves it.

    Args:
        session: The session.
        connection: Owned from now on.
    """

    def __init__(self, session: ShellSession, connection: socket.socket) -> None:
        self._session = session
        self._connection = connection
        self._parser = FrameParser()
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._entered: Execution | None = None
        self._telling = threading.Lock()
        #: How many lines were taken.
        self._runs = 0
        self._said_bye = False
        self._closing = False

    def serve(self) -> None:
        """Do it, in this thread."""
        session = self._session
        size = session.rows, session.columns
        session.watch(self._show)
        try:
            self._connection.setblocking(False)
            self._follow(session.execution)
            self._tell_state()
            self._loop()
        except (OSError, BadFrame):
            # The terminal is gone, or is none of ours.
            pass
        finally:
            session.unwatch(self._show)
            with self._lock:
                self._closing = True
                os.close(self._wake_read)
                os.close(self._wake_write)
            self._connection.close()
            session.resize(*size)
            entered = self._entered
            if entered is not None and not self._said_bye and session.runs(entered):
                session.stop(entered)

    def close(self) -> None:
        """End it, from any thread."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(2)

    def _loop(self) -> None:
        while not self._said_bye:
            descriptor = self._connection.fileno()
            with self._lock:
                writing = [descriptor] if self._waiting else []
            readable, writable, _ = select.select([descriptor, self._wake_read], writing, [])
            if self._wake_read in readable:
                os.read(self._wake_read, 4096)
            if writable:
                with self._lock:
                    del self._waiting[: self._connection.send(self._waiting[:READ_SIZE])]
            if descriptor in readable:
                data = self._connection.recv(READ_SIZE)
                if not data:
                    return
                for frame in self._parser.feed(data):
                    self._take(frame)

    def _take(self, frame: Frame) -> None:
        match frame.kind:
            case FrameKind.RUN:
                self._run(frame.payload.decode("utf-8", "surrogateescape"))
            case FrameKind.KEYS:
                execution = self._session.execution
                if execution is not None:
                    self._session.pass_on(execution, frame.payload)
            case FrameKind.SIZE:
                rows, columns = _size(frame)
                self._session.resize(rows, columns)
            case FrameKind.BYE:
                self._said_bye = True
            case _:
                raise BadFrame(frame.kind.name)

    def _run(self, code: str) -> None:
        entered = None
        try:
            if has_command(code):
                entered = self._entered = self._session.submit(code, attended=True)
        except ShellBusy:
            # The notebook was first; its command is shown.
            entered = self._session.execution
            self._send(Frame(FrameKind.REFUSED, b"the notebook runs a command; joining it"))
        except CtrKernelError as error:
            self._send(Frame(FrameKind.REFUSED, str(error).encode()))
        # Before the command's end is told: what is told from here on is about it.
        self._runs += 1
        self._follow(entered)
        self._tell_state()

    def _follow(self, execution: Execution | None) -> None:
        """Tell the terminal when the command ends."""
        if execution is not None:
            execution.future.add_done_callback(lambda _: self._tell_state())

    def _tell_state(self) -> None:
        # What was seen first is sent first: else the last thing told could be that it runs.
        with self._telling:
            self._send(json_frame(FrameKind.STATE, self._state()))

    def _state(self) -> dict[str, object]:
        session = self._session
        execution = session.execution
        ended = None if session.alive else session.state
        return {
            "container": session.container,
            "session": session.name,
            "cwd": session.cwd or "",
            "home": session.home,
            "busy": execution is not None,
            "attended": execution is not None and execution.attended,
            "ended": ended,
            "runs": self._runs,
        }

    def _show(self, text: str) -> None:
        for start in range(0, len(text), OUTPUT_SIZE):
            data = text[start : start + OUTPUT_SIZE].encode("utf-8", "surrogateescape")
            self._send(Frame(FrameKind.OUTPUT, data))

    def _send(self, frame: Frame) -> None:
        with self._lock:
            full = len(self._waiting) > WAITING_LIMIT and frame.kind is FrameKind.OUTPUT
            if self._closing or full:
                return
            self._waiting += frame.encode()
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_write, b"\0")


def _size(frame: Frame) -> tuple[int, int]:
    match frame.fields:
        case [int(rows), int(columns)] if 0 < rows < SIZE_LIMIT and 0 < columns < SIZE_LIMIT:
            return rows, columns
    raise BadFrame("size")
