"""The terminal at which a person sits: raw while a program has it, and always given back."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import termios
import threading
import tty
from typing import TYPE_CHECKING, Any, Self

from ctrkernel.engine.reaper import Reaper

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What is assumed of a terminal that does not know its size.
USUAL_SIZE = (24, 80)
#: Signals that end a program which sits at a terminal, and from which it still has time to tidy.
ENDING = (signal.SIGTERM, signal.SIGHUP)
#: Seconds between two looks at a terminal that takes no output.
WRITE_PATIENCE = 1.0


class TerminalEnded(BaseException):
    """A signal wants this process to end; not an Exception, so that nobody holds it up.

    Args:
        number: The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.status = 128 + number


class Terminal:
    """Use it as a context manager: at its end the terminal is as it was at its beginning.

    Its settings (termios(3)) and the flags of its descriptors, of which O_NONBLOCK is shared with
    the person's shell, are put back after a return, an exception, SIGTERM and SIGHUP; the settings
    also after SIGKILL, by a process on the side that waits for this one's end.

    Args:
        stdin: The descriptor that keys are read from; a terminal.
        stdout: The descriptor that is written to.
    """

    def __init__(self, stdin: int = 0, stdout: int = 1) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self._undo = contextlib.ExitStack()
        self._resized, self._note = -1, -1
        self._attributes: list[Any] = []

    def __enter__(self) -> Self:
        """Remember how everything is."""
        with contextlib.ExitStack() as undo:
            self._attributes = termios.tcgetattr(self.stdin)
            for descriptor in (self.stdin, self.stdout):
                flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
                undo.callback(_quietly, fcntl.fcntl, descriptor, fcntl.F_SETFL, flags)
            undo.callback(self._restore)
            guard = self._guard()
            if guard is not None:
                undo.callback(guard.dismiss)
            self._resized, self._note = os.pipe()
            undo.callback(os.close, self._resized)
            undo.callback(os.close, self._note)
            os.set_blocking(self._note, False)
            if threading.current_thread() is threading.main_thread():
                undo.enter_context(_handling(signal.SIGWINCH, self._note_resize))
                for number in ENDING:
                    undo.enter_context(_handling(number, _end))
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Put everything back."""
        self._undo.close()

    @property
    def resized(self) -> int:
        """A descriptor that can be read from when the size has changed; see :meth:`size`."""
        return self._resized

    def size(self) -> tuple[int, int]:
        """Return rows and columns, and take note that they are known."""
        while select.select([self._resized], [], [], 0)[0]:
            os.read(self._resized, 64)
        for descriptor in (self.stdout, self.stdin):
            with contextlib.suppress(OSError):
                columns, rows = os.get_terminal_size(descriptor)
                if rows and columns:
                    return rows, columns
        return USUAL_SIZE

    @contextlib.contextmanager
    def raw(self, *, newlines: bool = False) -> Iterator[None]:
        r"""Pass every key on as it is, Ctrl-C too, while the body runs.

        Args:
            newlines: Begin a new line at each ``\n`` that is written, for output that comes from
                a terminal which does not.
        """
        if threading.current_thread() is threading.main_thread():
            # A line editor that was here since has left the signal to nobody.
            signal.signal(signal.SIGWINCH, self._note_resize)
        tty.setraw(self.stdin, termios.TCSANOW)
        if newlines:
            attributes = termios.tcgetattr(self.stdin)
            attributes[1] |= termios.OPOST | termios.ONLCR
            termios.tcsetattr(self.stdin, termios.TCSANOW, attributes)
        try:
            yield
        finally:
            self._restore()

    def read(self, size: int) -> bytes | None:
        """Return typed bytes, b"" where there are none yet, None where the terminal is gone."""
        try:
            return os.read(self.stdin, size) or None
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return None

    def write(self, data: bytes) -> bool:
        """Write all of `data`; False where the terminal is gone."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self.stdout, rest) :]
            except BlockingIOError:
                # Somebody else's O_NONBLOCK: stdin, stdout and stderr share it.
                select.select([], [self.stdout], [], WRITE_PATIENCE)
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EPIPE):
                    raise
                return False
        return True

    def _restore(self) -> None:
        # Not TCSADRAIN: it would wait for ever on a terminal that was stopped by Ctrl-S.
        _quietly(termios.tcsetattr, self.stdin, termios.TCSANOW, self._attributes)

    def _guard(self) -> Reaper | None:
        """Start what restores the settings if this process is killed; None where nothing can."""
        try:
            name = os.ttyname(self.stdin)
            return Reaper(["stty", "-F", name, _saved(self._attributes)], environ=os.environ)
        except OSError:
            return None

    def _note_resize(self, *_: object) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._note, b"\0")


def is_terminal(*descriptors: int) -> bool:
    """Whether a person sits at each of the descriptors."""
    return all(map(os.isatty, descriptors))


@contextlib.contextmanager
def ending_by_signal() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise TerminalEnded while the body runs; in the main thread."""
    with _handling(signal.SIGTERM, _end), _handling(signal.SIGHUP, _end):
        yield


def _end(number: int, _: object) -> None:
    raise TerminalEnded(number)


@contextlib.contextmanager
def _handling(number: int, handler: Any) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL if before is None else before)


def _saved(attributes: list[Any]) -> str:
    """Return settings as ``stty -g`` prints them: four flags and the characters, in hexadecimal."""
    *flags, _, _, characters = attributes
    codes = [each[0] if isinstance(each, bytes) else each for each in characters]
    return ":".join(f"{each:x}" for each in (*flags, *codes))


def _quietly(function: Any, *arguments: Any) -> None:
    # A terminal that is gone has nothing to be restored.
    with contextlib.suppress(OSError, termios.error):
        function(*arguments)
