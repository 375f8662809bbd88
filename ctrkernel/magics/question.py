"""A question in IPython: a box in a notebook, a line in a terminal."""

from __future__ import annotations

import contextlib
import signal
import threading
import warnings
from concurrent.futures import Future
from getpass import GetPassWarning, getpass
from typing import TYPE_CHECKING

from ctrkernel.errors import CommandInterrupted, UsageError
from ctrkernel.protocol.prompt import END_OF_INPUT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Question:
    """One question, put in IPython's thread; any other may take it away again.

    Args:
        prompt: What stands before the answer.
        hidden: Nobody sees what is typed.
    """

    def __init__(self, prompt: str, *, hidden: bool) -> None:
        self._prompt = prompt
        self._hidden = hidden
        self._lock = threading.Lock()
        self._withdrawn = False
        #: The thread in which the person is waited for.
        self._asking: int | None = None
        #: U+0004 is the end of input. Its errors are UsageError, where nobody can be asked, and
        #: CommandInterrupted, by the person or by :meth:`withdraw`.
        self.answer: Future[str] = Future()

    def put(self) -> None:
        """Ask, and wait for the answer; in the thread that called the magic."""
        try:
            with on_sigint(signal.default_int_handler), warnings.catch_warnings():
                # Where the echo cannot be switched off, it would be read in the open.
                warnings.simplefilter("error", GetPassWarning)
                self.answer.set_result(self._ask())
        except KeyboardInterrupt:
            if not self.answer.done():
                self.answer.set_exception(CommandInterrupted("nothing was entered"))
        except EOFError:
            self.answer.set_result(END_OF_INPUT_KEY)
        except (NotImplementedError, OSError, RuntimeError, GetPassWarning) as error:
            self.answer.set_exception(
                UsageError(f"nobody can be asked here: {str(error).rstrip('.')}")
            )

    def _ask(self) -> str:
        with self._lock:
            if self._withdrawn:
                raise KeyboardInterrupt
            self._asking = threading.get_ident()
        try:
            return getpass(self._prompt) if self._hidden else input(self._prompt)
        finally:
            with self._lock:
                self._asking = None

    def withdraw(self) -> None:
        """Take it away: a signal alone ends what IPython's thread waits in."""
        with self._lock:
            first, self._withdrawn = not self._withdrawn, True
            asking = self._asking
            if first and asking is not None and asking == threading.main_thread().ident:
                signal.pthread_kill(asking, signal.SIGINT)


@contextlib.contextmanager
def on_sigint(handler: Callable[..., object]) -> Iterator[None]:
    """Have SIGINT call `handler` while the body runs; only the main thread is signalled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
