"""A box in the notebook that asks for a line: Jupyter's stdin channel."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import zmq

from ctrkernel.errors import CommandInterrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Milliseconds between two looks at whether the person has interrupted.
LOOK_INTERVAL = 50
#: What front ends send for the end of input.
_END = "\x04"


@dataclass(frozen=True, slots=True)
class Asker:
    """Whom a cell may ask: the front end that sent it.

    Attributes:
        parent: The cell's request.
        ident: Where its front end is on the socket.
        allowed: Whether the front end takes questions, as its ``allow_stdin`` said.
    """

    parent: Mapping[str, Any]
    ident: Any
    allowed: bool


class Questions:
    """The stdin channel of one kernel; one question at a time, from any thread but the loop's.

    Args:
        kernel: The kernel, for its session and socket.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        # The socket is nobody else's, so a lock makes it safe to use from several threads.
        self._lock = threading.Lock()

    def ask(self, asker: Asker, prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        """Show a box and return what was entered.

        Raises:
            UsageError: The front end takes no questions.
            CommandInterrupted: The person interrupted, or ended the input.
        """
        if not asker.allowed:
            raise UsageError("nobody can be asked here: the front end takes no input")
        session, socket = self._kernel.session, self._kernel.stdin_socket
        with self._lock:
            # An answer to a question that was given up.
            while socket.poll(0):
                socket.recv_multipart()
            session.send(
                socket,
                "input_request",
                {"prompt": prompt, "password": hidden},
                asker.parent,
                ident=asker.ident,
            )
            while True:
                if cancelled():
                    raise CommandInterrupted("nothing was entered")
                if not socket.poll(LOOK_INTERVAL):
                    continue
                _, reply = session.recv(socket, mode=zmq.NOBLOCK)
                if reply is not None and reply["msg_type"] == "input_reply":
                    value = str(reply["content"].get("value", ""))
                    if value == _END:
                        raise CommandInterrupted("nothing was entered")
                    return value
