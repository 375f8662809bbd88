"""A box in the notebook that asks for a line: Jupyter's stdin channel."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import zmq

from ctrkernel.errors import CommandInterrupted, UsageError
from ctrkernel.protocol.prompt import END_OF_INPUT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Milliseconds between two looks at whether the person has interrupted.
LOOK_INTERVAL = 50


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
        """Show a box and return what was entered, U+0004 for the end of input.

        Raises:
            UsageError: The front end takes no questions.
            CommandInterrupted: `cancelled` said so.
        """
        if not asker.allowed:
            raise UsageError("nobody can be asked here: the front end takes no input")
        session, socket = self._kernel.session, self._kernel.stdin_socket
        while not self._lock.acquire(timeout=LOOK_INTERVAL / 1000):
            # Another question is open.
            _go_on(cancelled)
        try:
            # An answer to a question that was given up.
            while socket.poll(0):
                socket.recv_multipart()
            request = session.send(
                socket,
                "input_request",
                {"prompt": prompt, "password": hidden},
                asker.parent,
                ident=asker.ident,
            )
            while True:
                _go_on(cancelled)
                if not socket.poll(LOOK_INTERVAL):
                    continue
                _, reply = session.recv(socket, mode=zmq.NOBLOCK)
                if reply is not None and _answers(reply, request):
                    return str(reply["content"].get("value", ""))
        finally:
            self._lock.release()

    def ask_hidden(self, asker: Asker, prompt: str, *, cancelled: Callable[[], bool]) -> str:
        """Ask for a word that nobody sees typed; as :meth:`ask`.

        Raises:
            CommandInterrupted: The person interrupted, or ended the input.
        """
        word = self.ask(asker, prompt, hidden=True, cancelled=cancelled)
        if word == END_OF_INPUT_KEY:
            raise CommandInterrupted("nothing was entered")
        return word


def _go_on(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CommandInterrupted("nothing was entered")


def _answers(reply: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Whether it is for this question; not every front end says which one it answers."""
    question = reply["parent_header"].get("msg_id", "")
    return reply["msg_type"] == "input_reply" and question in ("", request["header"]["msg_id"])
