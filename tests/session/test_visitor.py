"""The end of a command that a terminal watches is never missed."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from ctrkernel.protocol.frames import Frame, FrameKind, json_frame
from ctrkernel.session.visitor import Link

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[Link, socket.socket]]:
    """A link that has given a line, and the session's end of it."""
    ours, theirs = socket.socketpair()
    link = Link(ours)
    link.run("echo ab")
    yield link, theirs
    link.close()
    theirs.close()


def state(*, busy: bool) -> bytes:
    fields = {"container": "c", "session": "main", "cwd": "/", "home": "", "attended": busy}
    return json_frame(FrameKind.STATE, {**fields, "busy": busy, "ended": None, "runs": 1}).encode()


def output(text: bytes) -> bytes:
    return Frame(FrameKind.OUTPUT, text).encode()


def test_an_end_behind_early_output_is_known_at_the_second_read(
    ends: tuple[Link, socket.socket],
) -> None:
    link, session = ends
    session.sendall(output(b"a") + state(busy=True))
    link.wait_state()
    session.sendall(output(b"b") + state(busy=False))

    assert (link.read(), link.read()) == (b"ab", None)


def test_output_that_came_before_the_end_was_told_is_not_lost(
    ends: tuple[Link, socket.socket],
) -> None:
    link, session = ends
    session.sendall(output(b"ab") + state(busy=False))
    link.wait_state()

    assert (link.read(), link.read()) == (b"ab", None)


def test_an_end_that_comes_alone_is_known_at_once(ends: tuple[Link, socket.socket]) -> None:
    link, session = ends
    session.sendall(state(busy=True) + output(b"ab"))
    link.wait_state()
    assert (link.read(), link.read()) == (b"ab", b"")

    session.sendall(state(busy=False))

    assert link.read() is None
