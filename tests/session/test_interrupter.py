"""Signals beside the terminal reach the command they are for, or none."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from ctrkernel.session.execution import Execution
from ctrkernel.session.interrupter import Interrupter

if TYPE_CHECKING:
    from ctrkernel.session.connection import Connection

#: Seconds for what happens at once.
SOON = 20.0


class SlowEngine:
    """The way to a shell whose engine takes its time to send a signal."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.arrives = threading.Event()
        self.killed = 0

    def beside(self) -> SlowEngine:
        return self

    def trouble(self) -> None:
        return None

    def look(self) -> None:
        return None

    def press(self, key: bytes, wanted: object) -> None:
        pass

    def kill_foreground(self, *, even_shell: bool) -> None:
        assert not even_shell
        self.asked.set()
        assert self.arrives.wait(SOON)
        self.killed += 1


def test_who_begins_the_next_command_waits_for_signals_to_the_last_one() -> None:
    engine, running = SlowEngine(), Execution("sleep 9", None, None)
    current: list[Execution] = [running]
    interrupter = Interrupter(
        cast("Connection", engine), runs=lambda each: each in current, notify=print
    )
    settled = threading.Event()

    def begin_next() -> None:
        interrupter.settle()
        settled.set()

    for _ in range(3):
        interrupter.interrupt(running)
    assert engine.asked.wait(SOON)
    # It ends before the third one's signal has arrived.
    current.clear()
    for _ in range(3):
        interrupter.interrupt(running)
    thread = threading.Thread(target=begin_next)
    thread.start()

    assert interrupter.sending
    assert not settled.wait(0.2)
    engine.arrives.set()
    assert settled.wait(SOON)
    thread.join(SOON)
    interrupter.settle()
    assert (engine.killed, interrupter.sending) == (1, False)
