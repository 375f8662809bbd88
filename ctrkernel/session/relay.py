"""Bytes both ways between a person's terminal and a program's, until one of them leaves."""

from __future__ import annotations

import select
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctrkernel.protocol.detach import DetachKeys
    from ctrkernel.session.terminal import Terminal
    from ctrkernel.session.transport import Transport

#: Bytes of typing taken at once.
READ_SIZE = 4096
#: Bytes of typing that may wait for the program; more stay in the terminal.
PENDING_LIMIT = 1 << 16


class Left(Enum):
    """Why a relay ended."""

    #: The program's side came to its end.
    ENDED = auto()
    #: The person typed the keys to detach.
    DETACHED = auto()
    #: The person's terminal is gone.
    GONE = auto()


def relay(terminal: Terminal, program: Transport, keys: DetachKeys) -> Left:
    """Pass bytes both ways, and the size at the start and whenever it changes.

    Args:
        terminal: The person's, raw.
        program: The other side.
        keys: Those that detach.
    """
    pending = bytearray()
    poll = select.poll()
    poll.register(terminal.resized, select.POLLIN)
    program.resize(*terminal.size())
    # Its end may be known together with its last bytes, and then nothing wakes a poll: there is
    # only waited when a read has found neither.
    more = True
    while True:
        if more:
            more, left = _show(program, terminal)
            if left is not None:
                return left
        poll.register(terminal.stdin, select.POLLIN if len(pending) < PENDING_LIMIT else 0)
        poll.register(program.fileno(), select.POLLIN | (select.POLLOUT if pending else 0))
        ready = dict(poll.poll(0 if more else None))
        if terminal.resized in ready:
            program.resize(*terminal.size())
        events = ready.get(program.fileno(), 0)
        if pending and events & select.POLLOUT:
            del pending[: program.write(bytes(pending))]
        if events & ~select.POLLOUT:
            more = True
        if terminal.stdin in ready:
            typed = terminal.read(READ_SIZE)
            if typed is None:
                return Left.GONE
            passed, detached = keys.feed(typed)
            pending += passed
            del pending[: program.write(bytes(pending))]
            if detached:
                return Left.DETACHED


def _show(program: Transport, terminal: Terminal) -> tuple[bool, Left | None]:
    """Write what the program has to say; whether there may be more, and why the relay ends."""
    data = program.read()
    if data is None:
        return False, Left.ENDED
    return bool(data), None if terminal.write(data) else Left.GONE
