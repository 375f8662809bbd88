"""How a running command is ended, ever harder, and a shell that hangs is brought back."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ctrkernel.session.beside import SCRIPT_TIMEOUT, later

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.session.beside import Beside
    from ctrkernel.session.connection import Connection
    from ctrkernel.session.execution import Execution

#: Seconds that an interrupted command has before we look what became of it.
INTERRUPT_GRACE = 1.0
#: Interrupts after which the next one kills the shell too.
KILLS_SHELL = 3
#: Seconds after the first one before which none does: a key that is held down is no decision.
KILLS_SHELL_AFTER = 3.0
#: What a terminal's interrupt and quit keys send.
INTERRUPT, QUIT = b"\x03", b"\x1c"


class Interrupter:
    """Acts on one session's running command, beside its terminal where that is not enough.

    Every step asks first whether the command it is about still runs, and no other command begins
    before a signal from beside the terminal has arrived: the engine takes a tenth of a second to
    send one, or seconds where it is busy.

    Args:
        connection: The session's way to its shell.
        runs: Tells whether a command is the one that is running now.
        notify: Told why a command does not end.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        runs: Callable[[Execution], bool],
        notify: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._runs = runs
        self._notify = notify
        self._sending = threading.Lock()

    @property
    def sending(self) -> bool:
        """Whether a signal is on its way beside the terminal."""
        return self._sending.locked()

    def settle(self) -> None:
        """Wait until no signal is on its way to what ran before."""
        if self._sending.acquire(timeout=SCRIPT_TIMEOUT):
            self._sending.release()

    def interrupt(self, execution: Execution) -> None:
        """Take the next step: SIGINT; SIGQUIT; SIGKILL to the foreground group; to the shell.

        Each step interrupts again, because between two short commands of a loop a terminal has
        nobody to send a signal to.
        """
        execution.interrupts += 1
        if execution.interrupts == 1:
            execution.interrupted = time.monotonic()
        if execution.reader:
            later(lambda: self._interrupt_with_reader(execution))
            return
        if execution.interrupts == 1:
            self._press(INTERRUPT, execution)
        elif execution.interrupts == 2:  # noqa: PLR2004
            self._press(INTERRUPT, execution)
            self._press(QUIT, execution)
        else:
            later(lambda: self._kill(execution))
            return
        later(lambda: self._look_after(execution), delay=INTERRUPT_GRACE)

    def _interrupt_with_reader(self, execution: Execution) -> None:
        reader, execution.reader = execution.reader, 0
        beside = self._beside(execution)
        if beside is not None:
            beside.end_reader(reader)
        self._press(INTERRUPT, execution)
        later(lambda: self._look_after(execution), delay=INTERRUPT_GRACE)

    def look_at_silent(self, execution: Execution) -> None:
        """Continue a shell that was stopped; end a command that never reached it.

        Where nobody can look, such as in a paused container, it is said once why.
        """

        def look() -> None:
            beside = self._beside(execution)
            seen = beside.look() if beside is not None else None
            if beside is None:
                return
            if seen is None:
                if not execution.told:
                    self._is_cut_off(execution)
                return
            execution.told = False
            if seen.stopped:
                beside.go_on()
            elif self._connection.is_replaced(seen):
                self._connection.take_over()
            elif not seen.foreground and self._connection.is_held_up:
                # The last command's program, which the key has missed though the shell told of
                # the end: it waits for it after all.
                self._signal(execution, lambda beside: beside.interrupt_missed(seen.group))
            elif seen.sleeping and seen.foreground and self._connection.waits_to_begin:
                if execution.asked:
                    self._notify("the shell runs no commands any more (set -n?): ending it")
                    self._connection.let_go()
                else:
                    execution.asked = True
                    self._connection.ask_for_end(lambda: self._runs(execution))

        later(look)

    def _kill(self, execution: Execution) -> None:
        beside = self._beside(execution)
        if beside is None:
            return
        if self._is_cut_off(execution):
            # Neither the terminal nor an exec reaches it.
            self._connection.let_go()
            return
        waited = time.monotonic() - execution.interrupted
        kills_shell = execution.interrupts > KILLS_SHELL and waited > KILLS_SHELL_AFTER
        self._signal(execution, lambda beside: beside.kill_foreground(even_shell=kills_shell))

        def even_shell() -> None:
            # A shell in the foreground of its own terminal is itself what hangs.
            look = beside.look() if self._runs(execution) else None
            if look is not None and look.foreground:
                self._signal(execution, lambda beside: beside.kill_foreground(even_shell=True))

        later(even_shell, delay=INTERRUPT_GRACE)

    def _look_after(self, execution: Execution, *, again: bool = False) -> None:
        """Continue a stopped shell; let a silent prompt speak.

        A shell that sleeps in its terminal's foreground waits at a prompt that has lost its mark,
        for an interrupted builtin is gone; or the key came right before a builtin began to read,
        which would read what we type. A second interrupt ends the one and does nothing to the
        other.
        """
        beside = self._beside(execution)
        if beside is None:
            return
        look = beside.look()
        if not self._runs(execution):
            return
        if look is None:
            self._is_cut_off(execution)
        elif look.stopped:
            beside.go_on()
        elif self._connection.is_replaced(look):
            self._connection.take_over()
        elif look.sleeping and look.foreground and again:
            self._connection.ask_for_end(lambda: self._runs(execution))
        elif look.sleeping and look.foreground:
            # By the terminal, which hits no later command as a signal from beside it might.
            self._press(INTERRUPT, execution)
            later(lambda: self._look_after(execution, again=True), delay=INTERRUPT_GRACE / 2)
        else:
            self._interrupt_again(execution, beside, look.group)

    def _interrupt_again(self, execution: Execution, beside: Beside, group: int) -> None:
        """Interrupt what the key has missed.

        A shell that runs one short command after another: the key came while none of them was in
        the terminal's foreground. Or a program that would have ended by it: the key came in the
        moment between the shell's fork and the program, when the shell's handler took it.
        """
        look = beside.look()
        if look is None or not self._runs(execution):
            return
        if look.group != group:
            self._signal(execution, lambda beside: beside.interrupt())
        elif not look.foreground:
            self._signal(execution, lambda beside: beside.interrupt_missed(group))

    def _signal(self, execution: Execution, send: Callable[[Beside], None]) -> None:
        """Send a signal beside the terminal, if the command that it is for still runs."""
        with self._sending:
            beside = self._beside(execution)
            if beside is not None:
                send(beside)

    def _press(self, key: bytes, execution: Execution) -> None:
        self._connection.press(key, lambda: self._runs(execution))

    def _is_cut_off(self, execution: Execution) -> bool:
        """Whether the container cannot be reached; whoever waits is told why."""
        trouble = self._connection.trouble()
        if trouble is not None and self._runs(execution):
            execution.told = True
            self._notify(str(trouble))
        return trouble is not None

    def _beside(self, execution: Execution) -> Beside | None:
        return self._connection.beside() if self._runs(execution) else None
