"""What commands see of IPython."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import warnings
from concurrent.futures import Future
from getpass import GetPassWarning, getpass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from ctrkernel.errors import CommandInterrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from IPython.core.interactiveshell import InteractiveShell

    from ctrkernel.commands.progress import Progress
    from ctrkernel.magics.gauge import Gauge

_T = TypeVar("_T")

#: Pieces of output that may wait to be shown, of a megabyte at most; then the container waits.
BEHIND = 16
#: Seconds after which a signal is seen that came in the moment before a wait began: it wakes only
#: what waits already.
SIGNAL_INTERVAL = 0.1


class MagicFrontend:
    """One command's view; what it shows is shown in the thread that called the magic.

    Args:
        shell: IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        # Its put may be called by a signal handler: it takes no lock of Python's.
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._gauge: Gauge | None = None
        self._room = threading.Semaphore(BEHIND)
        self._over = False

    @property
    def variables(self) -> MutableMapping[str, object] | None:
        """IPython's user variables."""
        variables: MutableMapping[str, object] = self._shell.user_ns
        return variables

    @property
    def terminal(self) -> bool:
        """Whether this is IPython in a terminal."""
        return not hasattr(self._shell, "kernel") and sys.stdin.isatty()

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Show text as it comes."""

        def write() -> None:
            self._room.release()
            stream = sys.stderr if name == "stderr" else sys.stdout
            stream.write(text)
            stream.flush()

        self._room.acquire()
        if not self._over:
            self._requests.put(write)

    def progress(self, progress: Progress | None) -> None:
        """Show it in IPython's thread: a bar in a notebook that has one, else a line."""

        def draw() -> None:
            if self._gauge is None:
                from ctrkernel.magics.gauge import gauge_for  # noqa: PLC0415 - most need none

                self._gauge = gauge_for(self._shell)
            self._gauge.draw(progress)

        self._requests.put(draw)

    def notice(self, line: str) -> None:
        """Show a line of our own on stderr."""
        self.stream(f"ctrkernel: {line}\n", name="stderr")

    def at_terminal(self, work: Callable[[], _T]) -> _T:
        """Do `work` in IPython's own thread, which gets the signals."""
        answer: Future[_T] = Future()

        def do() -> None:
            try:
                answer.set_result(work())
            except BaseException as error:  # noqa: BLE001 - told to the command's thread
                answer.set_exception(error)

        self._requests.put(do)
        return answer.result()

    def ask_hidden(self, prompt: str) -> str:
        """Ask in IPython's own thread.

        Raises:
            CommandInterrupted: The person interrupted the question.
            UsageError: Nobody can be asked here.
        """
        answer: Future[str] = Future()

        def ask() -> None:
            try:
                with _interruptible(), warnings.catch_warnings():
                    # Where the echo cannot be switched off, it would be read in the open.
                    warnings.simplefilter("error", GetPassWarning)
                    answer.set_result(getpass(prompt))
            except KeyboardInterrupt:
                answer.set_exception(CommandInterrupted("nothing was entered"))
            except (EOFError, NotImplementedError, OSError, RuntimeError, GetPassWarning) as error:
                answer.set_exception(UsageError(f"nobody can be asked here: {error}"))

        self._requests.put(ask)
        return answer.result()

    def serve(self) -> None:
        """Show and ask what the command wants, until its end."""
        try:
            while (request := self._next()) is not None:
                request()
        finally:
            # Whoever still has something to show must not wait for it.
            self._over = True
            self._room.release(BEHIND)

    def _next(self) -> Callable[[], None] | None:
        while True:
            with contextlib.suppress(Empty):
                return self._requests.get(timeout=SIGNAL_INTERVAL)

    def post(self, work: Callable[[], None]) -> None:
        """Have :meth:`serve` do `work`; a signal handler may call this."""
        self._requests.put(work)

    def end(self) -> None:
        """Make :meth:`serve` return; called when the command has ended."""
        self._requests.put(None)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have SIGINT raise KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
