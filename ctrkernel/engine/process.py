"""A child process that speaks over pipes: bounded capture, every wait with a time-out.

The engine's CLI runs in a session of its own, because Jupyter's interrupt signals the kernel's
whole process group: it is we who decide when the child ends, after the clean-up.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ctrkernel.engine.splice import PIPE_SIZE, file_to_pipe, pipe_to_file, widen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Seconds a child may take to end after SIGTERM before it is killed.
TERMINATE_GRACE = 2.0
#: Seconds a killed child may take to be reaped; only a process stuck in the kernel takes longer.
KILL_GRACE = 5.0
#: Seconds between two looks at ``cancelled`` while a pipe is quiet.
CANCEL_INTERVAL = 0.1
#: Bytes of stderr that are kept: the last ones, because the reason comes at the end.
STDERR_LIMIT = 64 * 1024
#: Bytes of stdout that :meth:`Child.communicate` keeps; a listing of 10,000 containers fits.
STDOUT_LIMIT = 256 * 1024 * 1024
#: Bytes that move between pipe and file before the caller hears of it: progress is shown by it.
MOVE_SIZE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command of the engine's CLI ended.

    Args:
        exit_code: Its status; negative is the signal that ended it.
        stdout: Everything that it printed there.
        stderr: The end of what it printed there.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def message(self) -> str:
        """What the command said on stderr, as text."""
        return self.stderr.decode(errors="replace").strip()


class Stalled(TimeoutError):
    """The child moved no byte, or did not end, in the time it had."""


class OutputTooLong(Exception):
    """The child printed more than :data:`STDOUT_LIMIT`."""


class Cancelled(Exception):
    """The caller's ``cancelled`` said so."""


class Child:
    """One running child with its three pipes; use it as a context manager, which ends it.

    Args:
        argv: The command.
        environ: Variables added to this process's environment; secrets travel here, not on argv.
        cancelled: Asked every :data:`CANCEL_INTERVAL` seconds; true raises :class:`Cancelled`.
        inherit: Descriptors that stay open in the child.
        wide: Have pipes of :data:`WIDE_PIPE_SIZE`, for a child that moves much.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        cancelled: Callable[[], bool] | None = None,
        inherit: Sequence[int] = (),
        wide: bool = False,
    ) -> None:
        self._process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **environ} if environ else None,
            start_new_session=True,
            pass_fds=inherit,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin = self._process.stdin
        self._stdout = self._process.stdout
        self._stderr = self._process.stderr
        self._complaint = bytearray()
        self._ended = False
        self._cancelled = cancelled
        self._selector = selectors.DefaultSelector()
        for pipe in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(pipe.fileno(), False)
        self._size = widen(self._stdin, self._stdout) if wide else PIPE_SIZE
        self._selector.register(self._stderr, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def write(self, data: bytes | bytearray | memoryview, *, timeout: float) -> bool:
        """Write all of `data` to the child's stdin.

        Args:
            data: The bytes.
            timeout: Seconds that may pass without a byte taken.

        Returns:
            False if the child no longer reads: its exit status tells why.

        Raises:
            Stalled: Nothing was taken for `timeout` seconds.
            Cancelled: The caller's ``cancelled`` said so.
        """
        rest = memoryview(data)
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        try:
            while rest:
                self._await(timeout)
                try:
                    rest = rest[os.write(self._stdin.fileno(), rest[: self._size]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    return False
        finally:
            self._selector.unregister(self._stdin)
        return True

    def write_file(self, descriptor: int, size: int, *, timeout: float) -> int:
        """Write up to `size` bytes of a file to the child's stdin, without copying (splice(2)).

        Args:
            descriptor: The open file; its position moves on.
            size: Bytes.
            timeout: Seconds that may pass without a byte taken.

        Returns:
            The bytes that were moved, at least 1; 0 at the file's end, -1 if the child no longer
            reads.

        Raises:
            Stalled: Nothing was taken for `timeout` seconds.
            Cancelled: The caller's ``cancelled`` said so.
            OSError: The file cannot be read.
        """
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        try:
            while True:
                self._await(timeout)
                try:
                    return file_to_pipe(descriptor, self._stdin.fileno(), min(size, self._size))
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    return -1
        finally:
            self._selector.unregister(self._stdin)

    def close_stdin(self) -> None:
        """Tell the child that no more comes."""
        with contextlib.suppress(OSError):
            self._stdin.close()

    def read(self, *, timeout: float) -> bytes:
        """Read what the child's stdout has, at most a pipe's size; ``b""`` is its end.

        Raises:
            Stalled: Nothing came for `timeout` seconds.
            Cancelled: The caller's ``cancelled`` said so.
        """
        self._selector.register(self._stdout, selectors.EVENT_READ)
        try:
            while True:
                self._await(timeout)
                with contextlib.suppress(BlockingIOError):
                    data = os.read(self._stdout.fileno(), self._size)
                    self._ended = not data
                    return data
        finally:
            self._selector.unregister(self._stdout)

    def read_file(self, descriptor: int, size: int, *, at: int, timeout: float) -> int:
        """Move up to `size` bytes of the child's stdout into a file, without copying (splice(2)).

        Args:
            descriptor: The open file.
            size: Bytes.
            at: Where in the file they go.
            timeout: Seconds that may pass without a byte.

        Returns:
            The bytes that were moved, :data:`MOVE_SIZE` at most; 0 at the end of stdout.

        Raises:
            Stalled: Nothing came for `timeout` seconds.
            Cancelled: The caller's ``cancelled`` said so.
            OSError: The file cannot be written.
        """
        total, size = 0, min(size, MOVE_SIZE)
        self._selector.register(self._stdout, selectors.EVENT_READ)
        try:
            while total < size:
                self._await(timeout)
                with contextlib.suppress(BlockingIOError):
                    left = min(size - total, self._size)
                    moved = pipe_to_file(self._stdout.fileno(), descriptor, left, at=at + total)
                    total += moved
                    if not moved:
                        break
            return total
        finally:
            self._selector.unregister(self._stdout)

    def communicate(self, input: bytes | None, *, timeout: float) -> Completed:  # noqa: A002 - subprocess's word
        """Write `input`, read to the end, wait: all within `timeout` seconds.

        Raises:
            Stalled: The time was up.
            OutputTooLong: It printed more than :data:`STDOUT_LIMIT` bytes.
            Cancelled: The caller's ``cancelled`` said so.
        """
        deadline = time.monotonic() + timeout
        rest = memoryview(input or b"")
        printed = bytearray()
        if rest:
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        else:
            self.close_stdin()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        open_out = True
        while open_out or rest:
            ready = self._ready(deadline)
            if self._stdin in ready:
                try:
                    rest = rest[os.write(self._stdin.fileno(), rest[:PIPE_SIZE]) :]
                except BrokenPipeError:
                    rest = memoryview(b"")
                if not rest:
                    self._selector.unregister(self._stdin)
                    self.close_stdin()
            if self._stdout in ready:
                data = os.read(self._stdout.fileno(), PIPE_SIZE)
                printed += data
                if len(printed) > STDOUT_LIMIT:
                    raise OutputTooLong
                if not data:
                    self._selector.unregister(self._stdout)
                    open_out = False
        exit_code = self.wait(timeout=max(0.0, deadline - time.monotonic()))
        return Completed(exit_code, bytes(printed), bytes(self._complaint))

    def wait(self, *, timeout: float) -> int:
        """Wait for the end of the child and of its stderr; its stdin is closed, stdout discarded.

        Raises:
            Stalled: It did not end within `timeout` seconds.
            Cancelled: The caller's ``cancelled`` said so.
        """
        self.close_stdin()
        deadline = time.monotonic() + timeout
        registered = not self._stdout.closed and self._stdout not in self._registered()
        if registered:
            self._selector.register(self._stdout, selectors.EVENT_READ)
        while self._registered():
            for pipe in self._ready(deadline):
                if pipe is self._stdout and not os.read(self._stdout.fileno(), PIPE_SIZE):
                    self._selector.unregister(self._stdout)
        try:
            return self._process.wait(timeout=max(CANCEL_INTERVAL, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise Stalled from error

    @property
    def ended(self) -> bool:
        """Whether its stdout has come to its end: what it printed is complete, or it died."""
        return self._ended

    @property
    def complaint(self) -> str:
        """What the child has said on stderr so far, as text."""
        return self._complaint.decode(errors="replace").strip()

    def stop(self) -> None:
        """End the child whatever it does: SIGTERM, then SIGKILL; a second call does nothing."""
        self.close_stdin()
        # Nobody reads any more: a client that waits until its output is taken ends by this, while
        # `docker cp` in the middle of a file does not heed SIGTERM.
        self._selector.close()
        self._stdout.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=TERMINATE_GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=KILL_GRACE)
        self._stderr.close()

    def _registered(self) -> set[object]:
        return {key.fileobj for key in self._selector.get_map().values()}

    def _ready(self, deadline: float) -> list[object]:
        """Wait for one of the pipes; stderr is drained here and never returned."""
        while True:
            if self._cancelled is not None and self._cancelled():
                raise Cancelled
            left = deadline - time.monotonic()
            if left <= 0:
                raise Stalled
            events = self._selector.select(min(left, CANCEL_INTERVAL))
            ready: list[object] = [key.fileobj for key, _ in events]
            if self._stderr in ready:
                data = os.read(self._stderr.fileno(), PIPE_SIZE)
                if not data:
                    self._selector.unregister(self._stderr)
                self._complaint += data
                del self._complaint[:-STDERR_LIMIT]
            if ready:
                return ready

    def _await(self, timeout: float) -> None:
        """Wait for the one pipe that is registered beside stderr."""
        deadline = time.monotonic() + timeout
        while self._ready(deadline) == [self._stderr]:
            pass


def run_process(
    argv: Sequence[str],
    *,
    timeout: float,
    input: bytes | None = None,  # noqa: A002 - subprocess's word
    environ: Mapping[str, str] | None = None,
    cancelled: Callable[[], bool] | None = None,
    inherit: Sequence[int] = (),
) -> Completed:
    """Run `argv` to its end; whatever happens, no process stays behind.

    Raises:
        Stalled: It ran longer than `timeout` seconds.
        OutputTooLong: It printed more than :data:`STDOUT_LIMIT` bytes.
        Cancelled: `cancelled` said so.
        OSError: The program could not be started.
    """
    with Child(argv, environ=environ, cancelled=cancelled, inherit=inherit) as child:
        return child.communicate(input, timeout=timeout)
