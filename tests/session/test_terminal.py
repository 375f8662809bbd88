"""The person's terminal, on a pseudo-terminal of this machine."""

from __future__ import annotations

import os
import pty
import signal
import termios
from typing import TYPE_CHECKING

import pytest

from ctrkernel.session.terminal import Terminal, TerminalEnded

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def side() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal: the emulator's side and the program's."""
    emulator, program = pty.openpty()
    yield emulator, program
    for each in (emulator, program):
        os.close(each)


def test_a_terminal_is_raw_while_the_body_runs_and_then_as_it_was(side: tuple[int, int]) -> None:
    _, program = side
    before = termios.tcgetattr(program)

    with Terminal(program, program) as terminal, terminal.raw():
        assert not termios.tcgetattr(program)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    assert termios.tcgetattr(program) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_raises_and_leaves_the_terminal_as_it_was(
    side: tuple[int, int], number: signal.Signals
) -> None:
    _, program = side
    before = termios.tcgetattr(program)
    handler = signal.getsignal(number)

    with pytest.raises(TerminalEnded) as caught, Terminal(program, program) as terminal:  # noqa: SIM117
        with terminal.raw():
            signal.raise_signal(number)

    assert caught.value.status == 128 + number
    assert termios.tcgetattr(program) == before
    assert signal.getsignal(number) == handler


@pytest.mark.parametrize("blocking", [True, False])
def test_the_descriptors_flags_are_put_back(side: tuple[int, int], blocking: bool) -> None:
    _, program = side
    os.set_blocking(program, blocking)

    with Terminal(program, program) as terminal, terminal.raw():
        os.set_blocking(program, not blocking)

    assert os.get_blocking(program) is blocking


def test_all_is_written_to_a_descriptor_that_does_not_block(side: tuple[int, int]) -> None:
    emulator, program = side
    os.set_blocking(program, False)
    with Terminal(program, program) as terminal, terminal.raw():
        assert terminal.read(10) == b""
        pid = os.fork()
        if pid == 0:
            left = 200_000
            while left:
                left -= len(os.read(emulator, 65536))
            os._exit(0)
        assert terminal.write(b"x" * 200_000)
        assert os.waitpid(pid, 0)[1] == 0


def test_a_resize_is_noted_once(side: tuple[int, int]) -> None:
    _, program = side
    termios.tcsetwinsize(program, (33, 44))
    with Terminal(program, program) as terminal:
        signal.raise_signal(signal.SIGWINCH)

        assert os.read(terminal.resized, 1) == b"\0"
        assert terminal.size() == (33, 44)


def test_a_terminal_that_is_gone_is_an_end() -> None:
    emulator, program = pty.openpty()
    with Terminal(program, program) as terminal, terminal.raw():
        os.close(emulator)

        assert terminal.read(10) is None
        assert not terminal.write(b"x")
    os.close(program)
