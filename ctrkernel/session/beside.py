"""Short work in the container beside a shell: look at it, continue it, signal its programs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ctrkernel.errors import CtrKernelError
from ctrkernel.session import inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.engine import Engine

#: Seconds for a short script beside the shell.
SCRIPT_TIMEOUT = 5.0


class Beside:
    """Runs the scripts of :mod:`~ctrkernel.session.inside` for one shell.

    Args:
        engine: The engine's command line.
        container: The container's id or name.
        helper: A shell of the POSIX family in it.
        pid: The process id, in the container, of the shell that this is about.
    """

    def __init__(self, engine: Engine, container: str, *, helper: str, pid: int) -> None:
        self._engine = engine
        self._container = container
        self._helper = helper
        self._pid = pid

    def look(self) -> inside.ShellLook | None:
        """Return what ``/proc`` says of the shell; None where nobody could say."""
        return inside.parse_look(self._run(inside.look_argv(self._helper, self._pid)))

    def go_on(self) -> None:
        """Continue the shell if it was stopped."""
        self._run(inside.continue_argv(self._helper, self._pid))

    def end_reader(self, pid: int) -> None:
        """Hang up a process that the terminal's keys do not reach."""
        self._run(inside.end_reader_argv(self._helper, pid))

    def interrupt(self) -> None:
        """Interrupt the shell itself."""
        self._run(inside.interrupt_argv(self._helper, self._pid))

    def interrupt_missed(self, group: int) -> None:
        """Interrupt the terminal's foreground group `group` if an interrupt passed it by."""
        self._run(inside.interrupt_missed_argv(self._helper, self._pid, group))

    def kill_foreground(self, *, even_shell: bool) -> None:
        """Kill the process group in the foreground of the shell's terminal.

        Args:
            even_shell: Also if that is the shell's own.
        """
        self._run(inside.kill_foreground_argv(self._helper, self._pid, even_shell=even_shell))

    def _run(self, argv: list[str]) -> bytes:
        """Run a script; empty where it cannot be run or fails."""
        exec_argv = self._engine.exec_argv(self._container, argv)
        try:
            return self._engine.run(exec_argv[1:], timeout=SCRIPT_TIMEOUT).stdout
        except CtrKernelError:
            # The container is gone, paused or cut off; the terminal tells what there is to tell.
            return b""


def later(work: Callable[[], None], *, delay: float = 0.0) -> None:
    """Do `work`, which asks the engine and so takes a while, in a thread of its own.

    Args:
        work: Must not raise.
        delay: Seconds before it begins.
    """
    timer = threading.Timer(delay, work)
    timer.daemon = True
    timer.start()
