"""A child process whose two outputs are handed on as they come, told apart."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from typing import TYPE_CHECKING

from ctrkernel.engine.process import CANCEL_INTERVAL, Cancelled, Child, Stalled
from ctrkernel.engine.splice import PIPE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: The names of the two outputs, as Jupyter's stream messages have them.
STDOUT, STDERR = "stdout", "stderr"


class _Streamed(Child):
    """A child whose stderr is an output as its stdout is."""

    def stream(
        self,
        input: bytes | None,  # noqa: A002 - subprocess's word
        *,
        timeout: float | None,
        on_output: Callable[[str, bytes], None],
    ) -> int:
        """Write `input`, hand everything on, and return the exit status."""
        deadline = None if timeout is None else time.monotonic() + timeout
        rest = memoryview(input or b"")
        if rest:
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        else:
            self.close_stdin()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        while self._selector.get_map():
            for key, _ in self._selector.select(self._turn(deadline)):
                if key.fileobj is self._stdin:
                    rest = self._give(rest)
                    continue
                data = os.read(key.fd, PIPE_SIZE)
                if data:
                    on_output(STDOUT if key.fileobj is self._stdout else STDERR, data)
                else:
                    self._selector.unregister(key.fileobj)
        while True:
            try:
                return self._process.wait(self._turn(deadline))
            except subprocess.TimeoutExpired:
                continue

    def _give(self, rest: memoryview) -> memoryview:
        """Write a piece of the input and return what is left; its end closes stdin."""
        try:
            rest = rest[os.write(self._stdin.fileno(), rest[:PIPE_SIZE]) :]
        except BlockingIOError:
            return rest
        except BrokenPipeError:
            rest = memoryview(b"")
        if not rest:
            self._selector.unregister(self._stdin)
            self.close_stdin()
        return rest

    def _turn(self, deadline: float | None) -> float:
        """Return the seconds of the next wait."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled
        if deadline is None:
            return CANCEL_INTERVAL
        left = deadline - time.monotonic()
        if left <= 0:
            raise Stalled
        return min(left, CANCEL_INTERVAL)


def stream_process(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    input: bytes | None = None,  # noqa: A002 - subprocess's word
    timeout: float | None = None,
    on_output: Callable[[str, bytes], None],
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """Run `argv` to its end and hand on what it prints; whatever happens, it does not stay.

    Nothing is kept: memory is bounded by what `on_output` keeps, and a child that prints faster
    than `on_output` takes is held up by its pipe.

    Args:
        argv: The command.
        environ: Variables added to this process's environment; secrets travel here.
        input: What it reads on stdin; None for nothing.
        timeout: Seconds for all of it; None for no limit.
        on_output: Called in this thread with ``stdout`` or ``stderr`` and the bytes as they came;
            a character may be cut between two calls. What it raises ends the child.
        cancelled: Asked every :data:`~ctrkernel.engine.process.CANCEL_INTERVAL` seconds.

    Returns:
        The exit status; negative is the signal that ended it.

    Raises:
        Stalled: It ran longer than `timeout` seconds.
        Cancelled: `cancelled` said so.
        OSError: The program could not be started.
    """
    with _Streamed(argv, environ=environ, cancelled=cancelled) as child:
        return child.stream(input, timeout=timeout, on_output=on_output)
